SELECT
  (SELECT COUNT(DISTINCT text) FROM {values} WHERE kind = 'company' AND item = 'name'),
  (SELECT COUNT(DISTINCT one) FROM {values} WHERE kind = 'company' AND item = 'name'),
  (SELECT COUNT(*) FROM {values} WHERE kind = 'company' AND item = 'postal_code'),
  (SELECT COUNT(*) FROM {values} WHERE kind = 'company' AND item = 'city')
