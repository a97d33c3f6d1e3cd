-- expect_column_distinct_values_to_be_in_set {'column': 'i', 'value_set': [1, 2, 3]}
SELECT count(DISTINCT CASE WHEN "I" IS NOT NULL AND NOT "I" IN (?, ?, ?) THEN "I" END) AS pk_0 FROM "CRM"."CUSTOMERS";  -- [1, 2, 3]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT pk_text, pk_rows FROM (SELECT DISTINCT CAST("I" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" IS NOT NULL AND NOT "I" IN (?, ?, ?) LIMIT 5) AS pk_part) AS pk_0;  -- [1, 2, 3]
-- expect_column_distinct_values_to_contain_set {'column': 'i', 'value_set': [1, 2, 3]}
SELECT count(DISTINCT CASE WHEN "I" IN (?, ?, ?) THEN "I" END) AS pk_0 FROM "CRM"."CUSTOMERS";  -- [1, 2, 3]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT pk_text, pk_rows FROM (SELECT ? AS pk_text, NULL AS pk_rows FROM (SELECT coalesce(count_if("I" IN (?)), 0) AS pk_found FROM "CRM"."CUSTOMERS") AS pk_counted WHERE pk_found = 0) AS pk_part UNION ALL SELECT pk_text, pk_rows FROM (SELECT ? AS pk_text, NULL AS pk_rows FROM (SELECT coalesce(count_if("I" IN (?)), 0) AS pk_found FROM "CRM"."CUSTOMERS") AS pk_counted WHERE pk_found = 0) AS pk_part UNION ALL SELECT pk_text, pk_rows FROM (SELECT ? AS pk_text, NULL AS pk_rows FROM (SELECT coalesce(count_if("I" IN (?)), 0) AS pk_found FROM "CRM"."CUSTOMERS") AS pk_counted WHERE pk_found = 0) AS pk_part) AS pk_0;  -- ['missing: 1', 1, 'missing: 2', 2, 'missing: 3', 3]
-- expect_column_distinct_values_to_equal_set {'column': 'i', 'value_set': [1, 2, 3]}
SELECT count(DISTINCT CASE WHEN "I" IS NOT NULL AND NOT "I" IN (?, ?, ?) THEN "I" END) AS pk_0, count(DISTINCT CASE WHEN "I" IN (?, ?, ?) THEN "I" END) AS pk_1 FROM "CRM"."CUSTOMERS";  -- [1, 2, 3, 1, 2, 3]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT pk_text, pk_rows FROM (SELECT DISTINCT CAST("I" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" IS NOT NULL AND NOT "I" IN (?, ?, ?) LIMIT 5) AS pk_part UNION ALL SELECT pk_text, pk_rows FROM (SELECT ? AS pk_text, NULL AS pk_rows FROM (SELECT coalesce(count_if("I" IN (?)), 0) AS pk_found FROM "CRM"."CUSTOMERS") AS pk_counted WHERE pk_found = 0) AS pk_part UNION ALL SELECT pk_text, pk_rows FROM (SELECT ? AS pk_text, NULL AS pk_rows FROM (SELECT coalesce(count_if("I" IN (?)), 0) AS pk_found FROM "CRM"."CUSTOMERS") AS pk_counted WHERE pk_found = 0) AS pk_part UNION ALL SELECT pk_text, pk_rows FROM (SELECT ? AS pk_text, NULL AS pk_rows FROM (SELECT coalesce(count_if("I" IN (?)), 0) AS pk_found FROM "CRM"."CUSTOMERS") AS pk_counted WHERE pk_found = 0) AS pk_part) AS pk_0;  -- [1, 2, 3, 'missing: 1', 1, 'missing: 2', 2, 'missing: 3', 3]
-- expect_column_max_to_be_between {'column': 'i', 'min_value': 0, 'max_value': 5}
SELECT max("I") AS pk_0 FROM "CRM"."CUSTOMERS";
-- expect_column_mean_to_be_between {'column': 'i', 'min_value': 0, 'max_value': 5}
SELECT avg(1.0e0 * "I") AS pk_0 FROM "CRM"."CUSTOMERS";
-- expect_column_median_to_be_between {'column': 'i', 'min_value': 0, 'max_value': 5}
SELECT count("I") AS pk_0, percentile_disc(0.5) WITHIN GROUP (ORDER BY "I") AS pk_1, percentile_disc(0.5) WITHIN GROUP (ORDER BY "I" DESC) AS pk_2 FROM "CRM"."CUSTOMERS";
-- expect_column_min_to_be_between {'column': 'i', 'min_value': 0, 'max_value': 5}
SELECT min("I") AS pk_0 FROM "CRM"."CUSTOMERS";
-- expect_column_most_common_value_to_be_in_set {'column': 'i', 'value_set': [1, 2, 3]}
SELECT pk_value FROM (SELECT "I" AS pk_value, count(*) AS pk_rows, max(count(*)) OVER () AS pk_most FROM "CRM"."CUSTOMERS" WHERE "I" IS NOT NULL GROUP BY "I") AS pk_counted WHERE pk_rows = pk_most ORDER BY pk_value LIMIT 1000;
-- expect_column_pair_values_a_to_be_greater_than_b {'column_A': 'i', 'column_B': 'i2', 'ignore_row_if': 'both_values_are_missing'}
SELECT count(*) AS pk_0, coalesce(count_if(NOT ("I" IS NULL AND "I2" IS NULL)), 0) AS pk_1, coalesce(count_if(NOT ("I" IS NULL AND "I2" IS NULL) AND NOT ("I" > "I2")), 0) AS pk_2 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT coalesce(CAST("I" AS VARCHAR), 'NULL') || ', ' || coalesce(CAST("I2" AS VARCHAR), 'NULL') AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT ("I" IS NULL AND "I2" IS NULL) AND NOT ("I" > "I2") LIMIT 5) AS pk_0;
-- expect_column_pair_values_to_be_equal {'column_A': 'i', 'column_B': 'i2', 'ignore_row_if': 'both_values_are_missing'}
SELECT count(*) AS pk_0, coalesce(count_if(NOT ("I" IS NULL AND "I2" IS NULL)), 0) AS pk_1, coalesce(count_if(NOT ("I" IS NULL AND "I2" IS NULL) AND NOT ("I" = "I2" AND NOT ("I" IS NULL OR "I2" IS NULL))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT coalesce(CAST("I" AS VARCHAR), 'NULL') || ', ' || coalesce(CAST("I2" AS VARCHAR), 'NULL') AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT ("I" IS NULL AND "I2" IS NULL) AND NOT ("I" = "I2" AND NOT ("I" IS NULL OR "I2" IS NULL)) LIMIT 5) AS pk_0;
-- expect_column_proportion_of_non_null_values_to_be_between {'column': 'i', 'min_value': 0.0, 'max_value': 0.5, 'strict_max': True}
SELECT count(*) AS pk_0, count("I") AS pk_1 FROM "CRM"."CUSTOMERS";
-- expect_column_proportion_of_unique_values_to_be_between {'column': 'i', 'min_value': 0.0, 'max_value': 0.5}
SELECT count("I") AS pk_0, count(DISTINCT "I") AS pk_1 FROM "CRM"."CUSTOMERS";
-- expect_column_quantile_values_to_be_between {'column': 'i', 'quantile_ranges': {'quantiles': [0.5], 'value_ranges': [[0, 5]]}}
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY "I") AS pk_0 FROM "CRM"."CUSTOMERS";
-- expect_column_stdev_to_be_between {'column': 'i', 'min_value': 0, 'max_value': 5}
SELECT stddev_samp("I") AS pk_0 FROM "CRM"."CUSTOMERS";
-- expect_column_sum_to_be_between {'column': 'i', 'min_value': 0, 'max_value': 5}
SELECT sum("I") AS pk_0 FROM "CRM"."CUSTOMERS";
-- expect_column_to_exist {'column': 'i'}
-- expect_column_unique_value_count_to_be_between {'column': 'i', 'min_value': 0, 'max_value': 5}
SELECT count(DISTINCT "I") AS pk_0 FROM "CRM"."CUSTOMERS";
-- expect_column_value_lengths_to_be_between {'column': 's', 'min_value': 1, 'max_value': 5}
SELECT count(*) AS pk_0, count("S") AS pk_1, coalesce(count_if(NOT (length("S") >= ? AND length("S") <= ?)), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [1.0, 5.0]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT (length("S") >= ? AND length("S") <= ?) LIMIT 5) AS pk_0;  -- [1.0, 5.0]
-- expect_column_value_lengths_to_equal {'column': 's', 'value': 5}
SELECT count(*) AS pk_0, count("S") AS pk_1, coalesce(count_if(NOT (length("S") = ?)), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [5.0]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT (length("S") = ?) LIMIT 5) AS pk_0;  -- [5.0]
-- expect_column_values_to_be_between {'column': 'i', 'min_value': 0, 'max_value': 3}
SELECT count(*) AS pk_0, count("I") AS pk_1, coalesce(count_if(NOT ("I" >= ? AND "I" <= ?)), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [0.0, 3.0]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("I" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT ("I" >= ? AND "I" <= ?) LIMIT 5) AS pk_0;  -- [0.0, 3.0]
-- expect_column_values_to_be_in_set {'column': 'i', 'value_set': [1, 2, 3]}
SELECT count(*) AS pk_0, count("I") AS pk_1, coalesce(count_if(NOT ("I" IN (?, ?, ?))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [1, 2, 3]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("I" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT ("I" IN (?, ?, ?)) LIMIT 5) AS pk_0;  -- [1, 2, 3]
-- expect_column_values_to_be_null {'column': 'i'}
SELECT count(*) AS pk_0, count("I") AS pk_1 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("I" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" IS NOT NULL LIMIT 5) AS pk_0;
-- expect_column_values_to_be_unique {'column': 'i'}
SELECT count(*) AS pk_0, count("I") AS pk_1, count(DISTINCT "I") AS pk_2 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT CAST("I" AS VARCHAR) AS pk_text, sum(count(*)) OVER () AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" IS NOT NULL GROUP BY "I" HAVING count(*) > 1 LIMIT 5) AS pk_0;
-- expect_column_values_to_match_like_pattern {'column': 's', 'like_pattern': 'N%'}
SELECT count(*) AS pk_0, count("S") AS pk_1, coalesce(count_if(NOT (("S" LIKE ?))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- ['N%']
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT (("S" LIKE ?)) LIMIT 5) AS pk_0;  -- ['N%']
-- expect_column_values_to_match_like_pattern_list {'column': 's', 'match_on': 'any', 'like_pattern_list': ['N%', '%o%', '_']}
SELECT count(*) AS pk_0, count("S") AS pk_1, coalesce(count_if(NOT (("S" LIKE ?) OR ("S" LIKE ?) OR ("S" LIKE ?))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- ['N%', '%o%', '_']
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT (("S" LIKE ?) OR ("S" LIKE ?) OR ("S" LIKE ?)) LIMIT 5) AS pk_0;  -- ['N%', '%o%', '_']
-- expect_column_values_to_match_regex {'column': 's', 'regex': '^[A-Z]'}
SELECT count(*) AS pk_0, count("S") AS pk_1, coalesce(count_if(NOT ((REGEXP_INSTR("S", '^[A-Z]') > 0))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT ((REGEXP_INSTR("S", '^[A-Z]') > 0)) LIMIT 5) AS pk_0;
-- expect_column_values_to_match_regex_list {'column': 's', 'match_on': 'any', 'regex_list': ['^[A-Z]', 'o', '^\\S*$']}
SELECT count(*) AS pk_0, count("S") AS pk_1, coalesce(count_if(NOT ((REGEXP_INSTR("S", '^[A-Z]') > 0) OR (REGEXP_INSTR("S", 'o') > 0) OR (REGEXP_INSTR("S", '^\\S*$') > 0))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT ((REGEXP_INSTR("S", '^[A-Z]') > 0) OR (REGEXP_INSTR("S", 'o') > 0) OR (REGEXP_INSTR("S", '^\\S*$') > 0)) LIMIT 5) AS pk_0;
-- expect_column_values_to_not_be_in_set {'column': 'i', 'value_set': [1, 2, 3]}
SELECT count(*) AS pk_0, count("I") AS pk_1, coalesce(count_if(NOT (NOT "I" IN (?, ?, ?))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [1, 2, 3]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("I" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT (NOT "I" IN (?, ?, ?)) LIMIT 5) AS pk_0;  -- [1, 2, 3]
-- expect_column_values_to_not_be_null {'column': 'i'}
SELECT count(*) AS pk_0, count("I") AS pk_1 FROM "CRM"."CUSTOMERS";
-- expect_column_values_to_not_match_like_pattern {'column': 's', 'like_pattern': 'N%'}
SELECT count(*) AS pk_0, count("S") AS pk_1, coalesce(count_if(NOT (NOT ("S" LIKE ?))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- ['N%']
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT (NOT ("S" LIKE ?)) LIMIT 5) AS pk_0;  -- ['N%']
-- expect_column_values_to_not_match_like_pattern_list {'column': 's', 'like_pattern_list': ['N%', '%o%']}
SELECT count(*) AS pk_0, count("S") AS pk_1, coalesce(count_if(NOT (NOT ("S" LIKE ?) AND NOT ("S" LIKE ?))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- ['N%', '%o%']
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT (NOT ("S" LIKE ?) AND NOT ("S" LIKE ?)) LIMIT 5) AS pk_0;  -- ['N%', '%o%']
-- expect_column_values_to_not_match_regex {'column': 's', 'regex': '^[A-Z]', 'mostly': 0.6}
SELECT count(*) AS pk_0, count("S") AS pk_1, coalesce(count_if(NOT (NOT (REGEXP_INSTR("S", '^[A-Z]') > 0))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT (NOT (REGEXP_INSTR("S", '^[A-Z]') > 0)) LIMIT 5) AS pk_0;
-- expect_column_values_to_not_match_regex_list {'column': 's', 'regex_list': ['^[A-Z]', 'o', '^\\S*$']}
SELECT count(*) AS pk_0, count("S") AS pk_1, coalesce(count_if(NOT (NOT (REGEXP_INSTR("S", '^[A-Z]') > 0) AND NOT (REGEXP_INSTR("S", 'o') > 0) AND NOT (REGEXP_INSTR("S", '^\\S*$') > 0))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT (NOT (REGEXP_INSTR("S", '^[A-Z]') > 0) AND NOT (REGEXP_INSTR("S", 'o') > 0) AND NOT (REGEXP_INSTR("S", '^\\S*$') > 0)) LIMIT 5) AS pk_0;
-- expect_compound_columns_to_be_unique {'column_list': ['i', 'i2'], 'ignore_row_if': 'all_values_are_missing'}
SELECT count(*) AS pk_0, coalesce(count_if(NOT ("I" IS NULL AND "I2" IS NULL)), 0) AS pk_1, count(DISTINCT CASE WHEN "I" IS NOT NULL AND "I2" IS NOT NULL THEN "I" END, CASE WHEN "I" IS NOT NULL AND "I2" IS NOT NULL THEN "I2" END) AS pk_2, coalesce(count_if("I" IS NOT NULL AND "I2" IS NOT NULL), 0) AS pk_3 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT coalesce(CAST("I" AS VARCHAR), 'NULL') || ', ' || coalesce(CAST("I2" AS VARCHAR), 'NULL') AS pk_text, sum(count(*)) OVER () AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" IS NOT NULL AND "I2" IS NOT NULL GROUP BY "I", "I2" HAVING count(*) > 1 LIMIT 5) AS pk_0;
-- expect_multicolumn_sum_to_equal {'column_list': ['i', 'i2'], 'ignore_row_if': 'all_values_are_missing', 'sum_total': 4}
SELECT count(*) AS pk_0, coalesce(count_if(NOT ("I" IS NULL AND "I2" IS NULL)), 0) AS pk_1, coalesce(count_if(NOT ("I" IS NULL AND "I2" IS NULL) AND NOT (0 + "I" + "I2" = ?)), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [4.0]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT coalesce(CAST("I" AS VARCHAR), 'NULL') || ', ' || coalesce(CAST("I2" AS VARCHAR), 'NULL') AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT ("I" IS NULL AND "I2" IS NULL) AND NOT (0 + "I" + "I2" = ?) LIMIT 5) AS pk_0;  -- [4.0]
-- expect_select_column_values_to_be_unique_within_record {'column_list': ['i', 'i2'], 'ignore_row_if': 'all_values_are_missing', 'mostly': 0.7}
SELECT count(*) AS pk_0, coalesce(count_if(NOT ("I" IS NULL AND "I2" IS NULL)), 0) AS pk_1, coalesce(count_if(NOT ("I" IS NULL AND "I2" IS NULL) AND NOT (NOT ("I" = "I2" OR ("I" IS NULL AND "I2" IS NULL)))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT coalesce(CAST("I" AS VARCHAR), 'NULL') || ', ' || coalesce(CAST("I2" AS VARCHAR), 'NULL') AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE NOT ("I" IS NULL AND "I2" IS NULL) AND NOT (NOT ("I" = "I2" OR ("I" IS NULL AND "I2" IS NULL))) LIMIT 5) AS pk_0;
-- expect_table_column_count_to_be_between {'min_value': 1, 'max_value': None}
-- expect_table_column_count_to_equal {'value': 0}
-- expect_table_columns_to_match_ordered_list {'column_list': ['i', 'big', 'f', 'dec', 's', 't', 'b', 'd', 'ts', 'tz', 'i2', 'key', 'emp.var.rate', 'quo"te']}
-- expect_table_columns_to_match_set {'column_set': ['quo"te', 'emp.var.rate', 'key', 'i2', 'tz', 'ts', 'd', 'b', 't', 's', 'dec', 'f', 'big', 'i']}
-- expect_table_row_count_to_be_between {'min_value': 1, 'max_value': None}
SELECT count(*) AS pk_0 FROM "CRM"."CUSTOMERS";
-- expect_table_row_count_to_equal {'value': 0}
SELECT count(*) AS pk_0 FROM "CRM"."CUSTOMERS";
-- expect_table_row_count_to_equal_other_table {'other_table_name': 'other'}
SELECT count(*) AS pk_0, (SELECT count(*) FROM "OTHER") AS pk_1 FROM "CRM"."CUSTOMERS";
-- unexpected_rows_expectation {'unexpected_rows_query': 'SELECT * FROM {batch} WHERE i > 2'}
SELECT count(*) AS pk_0, (SELECT count(*) FROM (SELECT * FROM "CRM"."CUSTOMERS" WHERE i > 2) AS pk_row) AS pk_1 FROM "CRM"."CUSTOMERS";
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT CAST(OBJECT_CONSTRUCT(*) AS VARCHAR) AS pk_text, NULL AS pk_rows FROM (SELECT * FROM "CRM"."CUSTOMERS" WHERE i > 2) AS pk_row LIMIT 5) AS pk_0;
-- expect_column_distinct_values_to_equal_set {'column': 's', 'value_set': ['North'], 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT count(DISTINCT CASE WHEN "I" >= ? AND "S" IS NOT NULL AND NOT "S" IN (?) THEN "S" END) AS pk_0, count(DISTINCT CASE WHEN "I" >= ? AND "S" IN (?) THEN "S" END) AS pk_1 FROM "CRM"."CUSTOMERS";  -- [2, 'North', 2, 'North']
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" >= ? AND "S" IS NOT NULL AND NOT "S" IN (?) LIMIT 5) AS pk_part UNION ALL SELECT pk_text, pk_rows FROM (SELECT ? AS pk_text, NULL AS pk_rows FROM (SELECT coalesce(count_if("I" >= ? AND "S" IN (?)), 0) AS pk_found FROM "CRM"."CUSTOMERS") AS pk_counted WHERE pk_found = 0) AS pk_part) AS pk_0;  -- [2, 'North', 'missing: North', 2, 'North']
-- expect_column_mean_to_be_between {'column': 'f', 'min_value': 0, 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT avg(1.0e0 * CASE WHEN "I" >= ? THEN "F" END) AS pk_0 FROM "CRM"."CUSTOMERS";  -- [2]
-- expect_column_median_to_be_between {'column': 'dec', 'min_value': 0, 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT count(CASE WHEN "I" >= ? THEN "DEC" END) AS pk_0, percentile_disc(0.5) WITHIN GROUP (ORDER BY CASE WHEN "I" >= ? THEN "DEC" END) AS pk_1, percentile_disc(0.5) WITHIN GROUP (ORDER BY CASE WHEN "I" >= ? THEN "DEC" END DESC) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [2, 2, 2]
-- expect_column_pair_values_to_be_equal {'column_A': 'i', 'column_B': 'i2', 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT coalesce(count_if("I" >= ?), 0) AS pk_0, coalesce(count_if("I" >= ? AND NOT ("I" IS NULL AND "I2" IS NULL)), 0) AS pk_1, coalesce(count_if("I" >= ? AND NOT ("I" IS NULL AND "I2" IS NULL) AND NOT ("I" = "I2" AND NOT ("I" IS NULL OR "I2" IS NULL))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [2, 2, 2]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT coalesce(CAST("I" AS VARCHAR), 'NULL') || ', ' || coalesce(CAST("I2" AS VARCHAR), 'NULL') AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" >= ? AND NOT ("I" IS NULL AND "I2" IS NULL) AND NOT ("I" = "I2" AND NOT ("I" IS NULL OR "I2" IS NULL)) LIMIT 5) AS pk_0;  -- [2]
-- expect_column_proportion_of_unique_values_to_be_between {'column': 'i', 'min_value': 0.5, 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT count(CASE WHEN "I" >= ? THEN "I" END) AS pk_0, count(DISTINCT CASE WHEN "I" >= ? THEN "I" END) AS pk_1 FROM "CRM"."CUSTOMERS";  -- [2, 2]
-- expect_column_values_to_be_between {'column': 'i', 'min_value': 2, 'mostly': 0.5, 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT coalesce(count_if("I" >= ?), 0) AS pk_0, count(CASE WHEN "I" >= ? THEN "I" END) AS pk_1, coalesce(count_if("I" >= ? AND NOT ("I" >= ?)), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [2, 2, 2, 2.0]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("I" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" >= ? AND NOT ("I" >= ?) LIMIT 5) AS pk_0;  -- [2, 2.0]
-- expect_column_values_to_be_in_set {'column': 's', 'value_set': ['North'], 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT coalesce(count_if("I" >= ?), 0) AS pk_0, count(CASE WHEN "I" >= ? THEN "S" END) AS pk_1, coalesce(count_if("I" >= ? AND NOT ("S" IN (?))), 0) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [2, 2, 2, 'North']
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("S" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" >= ? AND NOT ("S" IN (?)) LIMIT 5) AS pk_0;  -- [2, 'North']
-- expect_column_values_to_be_null {'column': 'i', 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT coalesce(count_if("I" >= ?), 0) AS pk_0, count(CASE WHEN "I" >= ? THEN "I" END) AS pk_1 FROM "CRM"."CUSTOMERS";  -- [2, 2]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT DISTINCT CAST("I" AS VARCHAR) AS pk_text, NULL AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" >= ? AND "I" IS NOT NULL LIMIT 5) AS pk_0;  -- [2]
-- expect_column_values_to_be_unique {'column': 'i', 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT coalesce(count_if("I" >= ?), 0) AS pk_0, count(CASE WHEN "I" >= ? THEN "I" END) AS pk_1, count(DISTINCT CASE WHEN "I" >= ? THEN "I" END) AS pk_2 FROM "CRM"."CUSTOMERS";  -- [2, 2, 2]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT CAST("I" AS VARCHAR) AS pk_text, sum(count(*)) OVER () AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" >= ? AND "I" IS NOT NULL GROUP BY "I" HAVING count(*) > 1 LIMIT 5) AS pk_0;  -- [2]
-- expect_column_values_to_not_be_null {'column': 'i', 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT coalesce(count_if("I" >= ?), 0) AS pk_0, count(CASE WHEN "I" >= ? THEN "I" END) AS pk_1 FROM "CRM"."CUSTOMERS";  -- [2, 2]
-- expect_compound_columns_to_be_unique {'column_list': ['b', 's'], 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT coalesce(count_if("I" >= ?), 0) AS pk_0, coalesce(count_if("I" >= ? AND NOT ("B" IS NULL AND "S" IS NULL)), 0) AS pk_1, count(DISTINCT CASE WHEN "I" >= ? AND "B" IS NOT NULL AND "S" IS NOT NULL THEN "B" END, CASE WHEN "I" >= ? AND "B" IS NOT NULL AND "S" IS NOT NULL THEN "S" END) AS pk_2, coalesce(count_if("I" >= ? AND "B" IS NOT NULL AND "S" IS NOT NULL), 0) AS pk_3 FROM "CRM"."CUSTOMERS";  -- [2, 2, 2, 2, 2]
SELECT 0 AS pk_check, pk_text, pk_rows FROM (SELECT coalesce(CAST("B" AS VARCHAR), 'NULL') || ', ' || coalesce(CAST("S" AS VARCHAR), 'NULL') AS pk_text, sum(count(*)) OVER () AS pk_rows FROM "CRM"."CUSTOMERS" WHERE "I" >= ? AND "B" IS NOT NULL AND "S" IS NOT NULL GROUP BY "B", "S" HAVING count(*) > 1 LIMIT 5) AS pk_0;  -- [2]
-- expect_table_row_count_to_be_between {'min_value': 3, 'row_condition': {'type': 'comparison', 'column': {'name': 'i'}, 'operator': '>=', 'parameter': 2}}
SELECT coalesce(count_if("I" >= ?), 0) AS pk_0 FROM "CRM"."CUSTOMERS";  -- [2]
