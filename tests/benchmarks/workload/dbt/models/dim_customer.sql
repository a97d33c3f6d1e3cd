SELECT customer_id, nullif(trim(first_name), '') AS first_name, nullif(trim(last_name), '') AS last_name,
    lower(email) AS email, age, coalesce(gender, 'unknown') AS gender, city, country,
    CASE WHEN region IN ('North', 'South', 'East', 'West') THEN region ELSE 'Unknown' END AS region, signup_date
FROM {{ ref('raw_customer_demographics') }}
