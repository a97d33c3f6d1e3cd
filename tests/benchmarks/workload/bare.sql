-- The work of workload.yaml as plain DuckDB statements: the same tables with the same rows, and nothing else.
CREATE TABLE raw_customer_demographics AS
SELECT customer_id, first_name, last_name, email, age, gender, address, city, country, region, income_band, signup_date
FROM read_csv(getvariable('customers'), union_by_name = true, header = true, dateformat = '%Y/%m/%d', types = {
    'customer_id': 'BIGINT', 'first_name': 'VARCHAR', 'last_name': 'VARCHAR', 'email': 'VARCHAR', 'age': 'BIGINT',
    'gender': 'VARCHAR', 'address': 'VARCHAR', 'city': 'VARCHAR', 'country': 'VARCHAR', 'region': 'VARCHAR',
    'income_band': 'VARCHAR', 'signup_date': 'DATE'});

SELECT count(*) - count(customer_id), count(customer_id) - count(DISTINCT customer_id) FROM raw_customer_demographics;

CREATE TABLE raw_clickstream AS
SELECT event_id, "timestamp" AS event_time, user_id, event_type, page_url, duration_ms, device.type AS device_type
FROM read_json(getvariable('clickstream'), format = 'newline_delimited', columns = {
    event_id: 'VARCHAR', "timestamp": 'TIMESTAMPTZ', user_id: 'BIGINT', event_type: 'VARCHAR', page_url: 'VARCHAR',
    duration_ms: 'BIGINT', device: 'STRUCT("type" VARCHAR)'});

SELECT count(*) - count(event_id), count(event_id) - count(DISTINCT event_id) FROM raw_clickstream;

CREATE TABLE dim_customer AS
SELECT customer_id, nullif(trim(first_name), '') AS first_name, nullif(trim(last_name), '') AS last_name,
    lower(email) AS email, age, coalesce(gender, 'unknown') AS gender, city, country,
    CASE WHEN region IN ('North', 'South', 'East', 'West') THEN region ELSE 'Unknown' END AS region, signup_date
FROM raw_customer_demographics;

CREATE TABLE fact_click_events AS
SELECT event.event_id, event.user_id, event.event_time, event.event_type,
    split_part(event.page_url, '?', 1) AS page, event.duration_ms, event.device_type
FROM raw_clickstream AS event
INNER JOIN dim_customer AS customer ON customer.customer_id = event.user_id
WHERE event.event_time <= TIMESTAMPTZ '2024-07-01 00:00:00+00:00'
QUALIFY row_number() OVER (
    PARTITION BY event.event_id ORDER BY event.event_time DESC NULLS LAST, event.duration_ms DESC NULLS LAST
) = 1;

CREATE TABLE customer_features AS
SELECT spine.customer_id,
    date_diff('day', spine.signup_date, DATE '2024-07-01') AS days_since_signup,
    coalesce(source.events, 0) AS events,
    coalesce(source.events_30d, 0) AS events_30d,
    source.days_since_last_activity,
    coalesce(source.purchases, 0) AS purchases,
    coalesce(source.distinct_pages, 0) AS distinct_pages,
    source.avg_duration_ms
FROM dim_customer AS spine
LEFT JOIN (
    SELECT user_id, count(*) AS events,
        count_if(event_time > TIMESTAMPTZ '2024-06-01 00:00:00+00:00') AS events_30d,
        date_diff('day', max(event_time), TIMESTAMPTZ '2024-07-01 00:00:00+00:00') AS days_since_last_activity,
        count_if(event_type = 'purchase') AS purchases,
        count(DISTINCT page) AS distinct_pages,
        round(avg(duration_ms), 0)::BIGINT AS avg_duration_ms
    FROM fact_click_events GROUP BY user_id
) AS source ON source.user_id = spine.customer_id;
