-- One row for each customer. The SELECT is all there is: pipekit makes the table from it.
-- {{ as_of }} is the time of the run; `--as-of 2024-07-01` fixes it, so that a run can be repeated.
select
    c.customer_id,
    c.name,
    c.city,
    count_if(o.status = 'paid') as paid_orders,
    coalesce(sum(iff(o.status = 'paid', o.amount, 0)), 0) as paid_amount,
    max(o.ordered_on) as last_order,
    datediff('day', c.since, {{ as_of }}) as days_since_signup
from raw_customers as c
left join raw_orders as o on o.customer_id = c.customer_id
group by c.customer_id, c.name, c.city, c.since
