-- How the campaign went in each segment: how many subscribed, and how much better that is than over all clients.
with segments as (
    select 'age_group' as segment, age_group as member, subscribed, call_seconds, calls_in_campaign from bank_clients
    union all
    select 'job', job, subscribed, call_seconds, calls_in_campaign from bank_clients
    union all
    select 'education', education, subscribed, call_seconds, calls_in_campaign from bank_clients
    union all
    select 'contact_month', contact_month, subscribed, call_seconds, calls_in_campaign from bank_clients
    union all
    select 'previous_outcome', previous_outcome, subscribed, call_seconds, calls_in_campaign from bank_clients
),

overall as (
    select
        count(*) as clients,
        count_if(subscribed) as subscriptions
    from bank_clients
)

select
    segments.segment,
    segments.member,
    count(*) as clients,
    cast(count_if(segments.subscribed) as bigint) as subscriptions,
    cast(round(100 * count_if(segments.subscribed) / count(*), 2) as number(5, 2)) as subscribed_percent,
    cast(
        round(
            cast(count_if(segments.subscribed) * max(overall.clients) as double)
            / (count(*) * nullif(max(overall.subscriptions), 0)),
            3
        ) as number(9, 3)
    ) as lift,
    cast(round(avg(segments.call_seconds), 0) as bigint) as avg_call_seconds,
    cast(round(100 * sum(segments.calls_in_campaign) / count(*), 0) as bigint) as calls_per_100_clients
from segments
cross join overall
group by segments.segment, segments.member
