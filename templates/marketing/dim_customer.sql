-- One row a customer: names trimmed, e-mail addresses in one spelling and only if they can be one, regions that
-- nobody knows gathered under one name.
select
    customer_id,
    nullif(trim(first_name), '') as first_name,
    nullif(trim(last_name), '') as last_name,
    iff(regexp_like(email, {{ var('email_pattern') }}), lower(email), null) as email,
    age,
    case
        when age < 25 then '18-24'
        when age < 40 then '25-39'
        when age < 60 then '40-59'
        when age >= 60 then '60+'
        else 'unknown'
    end as age_group,
    coalesce(gender, 'unknown') as gender,
    city,
    country,
    iff(region in {{ var('regions') }}, region, 'Unknown') as region,
    coalesce(income_band, 'unknown') as income_band,
    signup_date
from raw_customer_demographics
