-- One row an event of a known customer, up to the run's clock. Events are delivered at least once, so the same
-- event_id can come twice: one of them is taken, always the same one. What is left out is counted in
-- click_events_left_out.sql.
select
    event.event_id,
    event.user_id,
    cast(convert_timezone('UTC', event.event_time) as timestamp_ntz) as event_time,
    cast(convert_timezone('UTC', event.event_time) as date) as event_date,
    event.event_type,
    event.page_url,
    split_part(event.page_url, '?', 1) as page,
    event.duration_ms,
    event.device_type
from raw_clickstream as event
inner join dim_customer as customer on customer.customer_id = event.user_id
where event.event_time <= {{ as_of }}
qualify row_number() over (
    partition by event.event_id
    order by
        event.event_time desc nulls last,
        event.user_id desc nulls last,
        event.duration_ms desc nulls last,
        event.event_type desc nulls last,
        event.page_url desc nulls last,
        event.device_type desc nulls last
) = 1
