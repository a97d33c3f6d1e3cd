-- Every raw event that is not in fact_click_events, counted by the reason.
with judged as (
    select
        event.event_id,
        case
            when event.user_id is null then 'anonymous visitor'
            when customer.customer_id is null then 'unknown customer'
            when event.event_time is null then 'no time'
            when event.event_time > {{ as_of }} then 'after the clock of the run'
            else 'delivered again'
        end as reason
    from raw_clickstream as event
    left join dim_customer as customer on customer.customer_id = event.user_id
)

-- The events that count are judged 'delivered again' too; the first delivery of each is taken off.
select
    reason,
    count(*) - iff(reason = 'delivered again', count(distinct event_id), 0) as events
from judged
group by reason
