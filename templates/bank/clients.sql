-- One row a client. The file has no key of its own, so one is made of all its columns: the same row gets the same key
-- in every run and on every warehouse. Rows that are alike in all columns are numbered.
with keyed as (
    select
        md5(
            to_varchar(age) || '|' || coalesce(job, '') || '|' || coalesce(marital, '') || '|'
            || coalesce(education, '') || '|' || coalesce(has_default, '') || '|' || coalesce(housing, '') || '|'
            || coalesce(loan, '') || '|' || contact || '|' || contact_month || '|' || day_of_week || '|'
            || to_varchar(duration) || '|' || to_varchar(campaign) || '|' || to_varchar(pdays) || '|'
            || to_varchar(previous) || '|' || poutcome || '|' || to_varchar("emp.var.rate") || '|'
            || to_varchar("cons.price.idx") || '|' || to_varchar("cons.conf.idx") || '|' || to_varchar(euribor3m)
            || '|' || to_varchar("nr.employed") || '|' || y
        ) as fingerprint,
        *
    from raw_bank_marketing
)

select
    fingerprint || '-' || to_varchar(row_number() over (partition by fingerprint order by age nulls last)) as client_key,
    age,
    case
        when age < 30 then 'under 30'
        when age < 45 then '30-44'
        when age < 60 then '45-59'
        else '60+'
    end as age_group,
    -- Most rows say 'admin.', a few 'admin'.
    coalesce(replace(job, '.', ''), 'unknown') as job,
    coalesce(marital, 'unknown') as marital,
    coalesce(education, 'unknown') as education,
    has_default = 'yes' as has_default,
    housing = 'yes' as has_housing_loan,
    loan = 'yes' as has_personal_loan,
    contact as contact_type,
    contact_month,
    day_of_week as contact_day,
    duration as call_seconds,
    campaign as calls_in_campaign,
    -- 999 stands for: never contacted before.
    nullif(pdays, 999) as days_since_previous_contact,
    previous as calls_before_campaign,
    poutcome as previous_outcome,
    "emp.var.rate" as employment_variation_rate,
    "cons.price.idx" as consumer_price_index,
    "cons.conf.idx" as consumer_confidence_index,
    euribor3m as euribor_3_months,
    "nr.employed" as employed_thousands,
    y = 'yes' as subscribed
from keyed
