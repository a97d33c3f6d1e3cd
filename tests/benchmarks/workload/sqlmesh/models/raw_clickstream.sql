MODEL (
  name main.raw_clickstream,
  kind FULL,
  audits (not_null(columns := (event_id)), unique_values_non_blocking(columns := (event_id)))
);

SELECT event_id, "timestamp" AS event_time, user_id, event_type, page_url, duration_ms, device.type AS device_type
FROM read_json(@data || '/clickstream/*', format = 'newline_delimited', columns = {
    event_id: 'VARCHAR', "timestamp": 'TIMESTAMPTZ', user_id: 'BIGINT', event_type: 'VARCHAR', page_url: 'VARCHAR',
    duration_ms: 'BIGINT', device: 'STRUCT("type" VARCHAR)'})
