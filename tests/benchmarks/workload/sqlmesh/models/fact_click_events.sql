MODEL (name main.fact_click_events, kind FULL);

SELECT event.event_id, event.user_id, event.event_time, event.event_type,
    split_part(event.page_url, '?', 1) AS page, event.duration_ms, event.device_type
FROM main.raw_clickstream AS event
INNER JOIN main.dim_customer AS customer ON customer.customer_id = event.user_id
WHERE event.event_time <= TIMESTAMPTZ '2024-07-01 00:00:00+00:00'
QUALIFY row_number() OVER (
    PARTITION BY event.event_id ORDER BY event.event_time DESC NULLS LAST, event.duration_ms DESC NULLS LAST
) = 1
