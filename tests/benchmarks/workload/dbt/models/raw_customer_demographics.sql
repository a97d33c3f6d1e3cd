SELECT customer_id, first_name, last_name, email, age, gender, address, city, country, region, income_band, signup_date
FROM read_csv('{{ env_var("WORKLOAD_DATA") }}/customers/*', union_by_name = true, header = true,
    dateformat = '%Y/%m/%d', types = {
    'customer_id': 'BIGINT', 'first_name': 'VARCHAR', 'last_name': 'VARCHAR', 'email': 'VARCHAR', 'age': 'BIGINT',
    'gender': 'VARCHAR', 'address': 'VARCHAR', 'city': 'VARCHAR', 'country': 'VARCHAR', 'region': 'VARCHAR',
    'income_band': 'VARCHAR', 'signup_date': 'DATE'})
