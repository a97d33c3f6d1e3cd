-- Sessions of each customer in the last 30 days. A session ends when nothing happens for 30 minutes.
with gaps as (
    select
        user_id,
        event_time,
        lag(event_time) over (partition by user_id order by event_time nulls last) as previous_time
    from fact_click_events
    where event_time > dateadd('day', -30, cast({{ as_of }} as timestamp_ntz))
)

select
    customer.customer_id,
    cast(
        count_if(
            gaps.user_id is not null
            and (gaps.previous_time is null or gaps.event_time > dateadd('minute', 30, gaps.previous_time))
        ) as bigint
    ) as sessions_30d
from dim_customer as customer
left join gaps on gaps.user_id = customer.customer_id
group by customer.customer_id
