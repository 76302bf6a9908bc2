SELECT
  party.person_id,
  interaction.happened_at,
  interaction.kind,
  interaction.direction,
  party.role,
  interaction.subject,
  interaction.our_user,
  COALESCE(party.company_id, interaction.company_id) AS company_id,
  interaction.thread_id,
  interaction.duration_ms,
  interaction.party_count,
  interaction.source,
  interaction.stream,
  interaction.part,
  interaction.record_id,
  interaction.interaction_id
FROM $schema.interaction_parties AS party
JOIN $schema.interactions AS interaction ON interaction.interaction_id = party.interaction_id
WHERE party.person_id IS NOT NULL
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY party.person_id, party.interaction_id ORDER BY party.position
) = 1
