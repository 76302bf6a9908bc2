WITH of_company AS (
  SELECT company_id, interaction_id
  FROM $schema.interactions
  WHERE company_id IS NOT NULL
  UNION DISTINCT
  SELECT company_id, interaction_id
  FROM $schema.interaction_parties
  WHERE company_id IS NOT NULL
),
happened AS (
  SELECT of_company.company_id, interaction.kind, interaction.direction, interaction.happened_at
  FROM of_company
  JOIN $schema.interactions AS interaction
    ON interaction.interaction_id = of_company.interaction_id
  WHERE interaction.happened_at <= CURRENT_TIMESTAMP
),
touched AS (
  SELECT
    company_id,
    MAX(CASE WHEN direction = 'inbound' THEN happened_at END) AS last_inbound_at,
    MAX(CASE WHEN direction = 'outbound' THEN happened_at END) AS last_outbound_at,
    MAX(happened_at) AS last_touch_at,
    COUNT(*) AS interaction_count
  FROM happened
  GROUP BY company_id
),
by_kind AS (
  SELECT
    company_id,
    FORMAT_TIMESTAMP('%Y-%m', happened_at) AS month_text,
    kind,
    COUNT(*) AS kind_count
  FROM happened
  GROUP BY company_id, month_text, kind
),
by_month AS (
  SELECT
    company_id,
    month_text,
    STRING_AGG(CONCAT('"', kind, '":', CAST(kind_count AS STRING)), ',' ORDER BY kind) AS kinds
  FROM by_kind
  GROUP BY company_id, month_text
),
calendar AS (
  SELECT
    company_id,
    CONCAT(
      '{',
      STRING_AGG(CONCAT('"', month_text, '":{', kinds, '}'), ',' ORDER BY month_text DESC),
      '}'
    ) AS interactions_by_month
  FROM by_month
  GROUP BY company_id
),
by_currency AS (
  SELECT
    company_id,
    COALESCE(currency, CONCAT('unknown in ', source)) AS code,
    REGEXP_EXTRACT(CAST(SUM(amount) AS STRING), '^-?[0-9]+(?:[.][0-9]*[1-9])?') AS total_text
  FROM $schema.deals
  WHERE is_open AND amount IS NOT NULL
  GROUP BY company_id, code
),
worth AS (
  SELECT
    company_id,
    CONCAT('{', STRING_AGG(CONCAT('"', code, '":', total_text), ',' ORDER BY code), '}') AS open_amounts
  FROM by_currency
  GROUP BY company_id
),
sold AS (
  SELECT
    company_id,
    COUNT(CASE WHEN is_open THEN 1 END) AS open_deals,
    COUNT(CASE WHEN is_won THEN 1 END) AS won_deals,
    MIN(CASE WHEN is_open THEN closes_at END) AS next_close_at
  FROM $schema.deals
  GROUP BY company_id
),
staff AS (
  SELECT company_id, COUNT(*) AS people_count
  FROM $schema.people
  GROUP BY company_id
)
SELECT
  company.company_id,
  company.name,
  company.domain,
  company.city,
  company.country,
  COALESCE(staff.people_count, 0) AS people_count,
  COALESCE(sold.open_deals, 0) AS open_deals,
  worth.open_amounts,
  COALESCE(sold.won_deals, 0) AS won_deals,
  sold.next_close_at,
  touched.last_inbound_at,
  touched.last_outbound_at,
  touched.last_touch_at,
  COALESCE(touched.interaction_count, 0) AS interactions,
  calendar.interactions_by_month
FROM $schema.companies AS company
LEFT JOIN staff ON staff.company_id = company.company_id
LEFT JOIN sold ON sold.company_id = company.company_id
LEFT JOIN worth ON worth.company_id = company.company_id
LEFT JOIN touched ON touched.company_id = company.company_id
LEFT JOIN calendar ON calendar.company_id = company.company_id
