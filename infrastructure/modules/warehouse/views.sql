-- Makes a view of each table for analysts that is there by now, with the descriptions of the table and its columns.
FOR relation IN (
  SELECT
    table_name,
    ANY_VALUE(IFNULL(option_value, '""')) AS description,
    STRING_AGG(FORMAT('`%s` OPTIONS (description = %T)', column_name, paths.description), ', ' ORDER BY ordinal_position) AS described,
    STRING_AGG(FORMAT('`%s`', column_name), ', ' ORDER BY ordinal_position) AS names
  FROM `${tables}.INFORMATION_SCHEMA.COLUMNS`
  JOIN `${tables}.INFORMATION_SCHEMA.COLUMN_FIELD_PATHS` AS paths USING (table_name, column_name)
  LEFT JOIN (
    SELECT table_name, option_value FROM `${tables}.INFORMATION_SCHEMA.TABLE_OPTIONS` WHERE option_name = 'description'
  ) USING (table_name)
  WHERE field_path = column_name AND table_name IN (${names})
  GROUP BY table_name
)
DO
  EXECUTE IMMEDIATE FORMAT(
    'CREATE OR REPLACE VIEW `${analysts}.%s` (%s) OPTIONS (description = %s) AS SELECT %s FROM `${tables}.%s`',
    relation.table_name, relation.described, relation.description, relation.names, relation.table_name
  );
END FOR;
