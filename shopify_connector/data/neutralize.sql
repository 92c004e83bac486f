-- a copy of the database must not reach the live stores
UPDATE shopify_backend
   SET client_secret_enc = NULL,
       client_secret_set_at = NULL,
       previous_secret_enc = NULL,
       previous_secret_set_at = NULL,
       access_token_enc = NULL,
       access_token_set_at = NULL,
       -- no database bears this uuid, so somebody has to claim the store first
       database_uuid = 'neutralized',
       push_stock = false,
       state = 'draft';

DELETE FROM shopify_token;

DELETE FROM shopify_outbox;

UPDATE ir_cron
   SET active = false
 WHERE id IN (
    SELECT res_id
      FROM ir_model_data
     WHERE module = 'shopify_connector'
       AND model = 'ir.cron'
 );

-- jobs that were waiting when the copy was made
UPDATE queue_job
   SET state = 'cancelled'
 WHERE model_name LIKE 'shopify.%'
   AND state IN ('wait_dependencies', 'pending', 'enqueued', 'started');
