MODEL (name main.customer_features, kind FULL);

SELECT spine.customer_id,
    date_diff('day', spine.signup_date, DATE '2024-07-01') AS days_since_signup,
    coalesce(source.events, 0) AS events,
    coalesce(source.events_30d, 0) AS events_30d,
    source.days_since_last_activity,
    coalesce(source.purchases, 0) AS purchases,
    coalesce(source.distinct_pages, 0) AS distinct_pages,
    source.avg_duration_ms
FROM main.dim_customer AS spine
LEFT JOIN (
    SELECT user_id, count(*) AS events,
        count_if(event_time > TIMESTAMPTZ '2024-06-01 00:00:00+00:00') AS events_30d,
        date_diff('day', max(event_time), TIMESTAMPTZ '2024-07-01 00:00:00+00:00') AS days_since_last_activity,
        count_if(event_type = 'purchase') AS purchases,
        count(DISTINCT page) AS distinct_pages,
        round(avg(duration_ms), 0)::BIGINT AS avg_duration_ms
    FROM main.fact_click_events GROUP BY user_id
) AS source ON source.user_id = spine.customer_id
