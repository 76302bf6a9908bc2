//! The weights, caps and bounds of resolution: one definition, as data.

use serde::{Deserialize, Serialize};

use super::identity::EntityKind;
use super::survivorship::Survivorship;

/// How to resolve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Weights and bounds.
    pub model: Model,
    /// The country of phone numbers on records that name none.
    pub default_country: Option<String>,
    /// Which values survive in golden records.
    pub survivorship: Survivorship,
    /// Sets of fewer records are resolved as a whole each time, which takes less than a second: what it would take to
    /// resolve only what changed is not kept.
    pub index_from: usize,
    /// Where more than this share of the records changed since all of them were resolved, all are again, so that what
    /// was learnt stays true.
    pub refresh_share: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: Model::default(),
            default_country: None,
            survivorship: Survivorship::default(),
            index_from: 20_000,
            refresh_share: 0.02,
        }
    }
}

/// Weights in bits (log2 of how much likelier a level is within one entity than between two), and bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// Where more records than this share the value of a key, only those meet that share a name as well.
    pub block_cap: usize,
    /// How many neighbours meet where more records than that share both.
    pub block_window: usize,
    /// A pair that is less than so many bits short of speaking for joining is for a person to decide.
    pub review_range: f32,
    /// A pair that speaks for joining by less than so many bits does not join two clusters of several records each
    /// where no other pair does.
    pub bridge_range: f32,
    /// A union is refused where a greater share of its pairs contradict each other.
    pub contradiction_share: f32,
    /// A union is refused only where more pairs contradict each other than so many times those that speak for it.
    pub contradiction_worth: f32,
    /// Two records contradict each other where names or domains do and the pair has fewer bits than this.
    pub contradiction_bits: f32,
    /// The same where dates of birth do: these are often mistyped, so it takes more.
    pub birth_contradiction_bits: f32,
    /// How many members of each side the contradiction check looks at.
    pub contradiction_looks: usize,
    /// Weights for people.
    pub people: PeopleWeights,
    /// Weights for companies.
    pub companies: CompanyWeights,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            block_cap: 60,
            block_window: 10,
            review_range: 1.5,
            bridge_range: 1.5,
            contradiction_share: 0.4,
            contradiction_worth: 1.0,
            contradiction_bits: 0.0,
            birth_contradiction_bits: -6.0,
            contradiction_looks: 12,
            people: PeopleWeights::default(),
            companies: CompanyWeights::default(),
        }
    }
}

impl Model {
    /// Returns from how many bits on a pair of a kind speaks for joining.
    pub fn accept_bits(&self, kind: EntityKind) -> f32 {
        match kind {
            EntityKind::Person => self.people.accept_bits,
            EntityKind::Company => self.companies.accept_bits,
        }
    }
}

/// Bits for the levels of one part of a name. Where a level has the word "off", it is taken off the bits that the
/// rarity of the name gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NamePartWeights {
    /// The same part: off its rarity.
    pub equal_off: f32,
    /// Forms of one name: off its rarity.
    pub nickname_off: f32,
    /// An initial and a name that starts with it.
    pub initial: f32,
    /// A name and its beginning, as a caller id cuts it: off its rarity.
    pub truncated_off: f32,
    /// Names of several words that share one: off its rarity.
    pub contained_off: f32,
    /// One typing error apart: off the rarity of the commoner form.
    pub one_edit_off: f32,
    /// Alike by Jaro-Winkler.
    pub similar: f32,
    /// Two typing errors apart.
    pub two_edits: f32,
    /// Different.
    pub conflict: f32,
    /// The most that rarity can give.
    pub rarity_cap: f32,
}

impl Default for NamePartWeights {
    fn default() -> Self {
        Self {
            equal_off: 0.3,
            nickname_off: 1.5,
            initial: 2.5,
            truncated_off: 2.0,
            contained_off: 1.5,
            one_edit_off: 2.0,
            similar: 2.0,
            two_edits: 0.0,
            conflict: -6.0,
            rarity_cap: 13.0,
        }
    }
}

/// Bits for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeopleWeights {
    /// A pair with at least as many bits as this speaks for joining.
    pub accept_bits: f32,
    /// Added to the prior of log2 of one in as many people as there are.
    pub prior_offset: f32,
    /// The most that is added to it where people have many records each.
    pub partners_cap: f32,
    /// Given names.
    pub first_name: NamePartWeights,
    /// Surnames.
    pub last_name: NamePartWeights,
    /// Taken off where given name and surname stand in each other's place.
    pub swapped_off: f32,
    /// Taken off a whole name, since given names and surnames go together by language.
    pub correlation_off: f32,
    /// Learnt: what a whole name says that two records bear, by how many do and how rare it is. Empty where nothing
    /// was learnt.
    pub namesakes: Vec<f32>,
    /// Middle names that agree.
    pub middle_equal: f32,
    /// Middle names that differ.
    pub middle_conflict: f32,
    /// A junior and a senior.
    pub generation_conflict: f32,
    /// The chance that a mailbox which one person is known to use is another's as well.
    pub mailbox_slack: f32,
    /// The same for phones.
    pub phone_slack: f32,
    /// Added where mailbox and phone are both shared.
    pub second_contact: f32,
    /// The same mailbox name at a domain one typing error away.
    pub mailbox_domain_typo: f32,
    /// The same mailbox name at another domain.
    pub mailbox_same_local: f32,
    /// The same, where the mailbox name is no more than the person's name spelt out: off `mailbox_different`.
    pub mailbox_same_spelt: f32,
    /// Mailboxes that have nothing in common.
    pub mailbox_different: f32,
    /// Phones one typing error apart, or of which one has digits before the other.
    pub phone_near: f32,
    /// Phones of which none is shared.
    pub phone_different: f32,
    /// Mailboxes whose names and whose domains are both alike.
    pub mailbox_garbled: f32,
    /// Mailboxes one typing error apart, at one domain.
    pub mailbox_local_typo: f32,
    /// Two personal mailboxes at one organisation's domain.
    pub mailbox_colleagues: f32,
    /// Mailboxes at one organisation's domain that differ in a number at the end: namesakes.
    pub mailbox_numbered: f32,
    /// Takes the place of a surname that differs where mailbox and given name are the same.
    pub renamed: f32,
    /// The most that a shared organisation can give.
    pub organisation_cap: f32,
    /// Organisations that differ.
    pub organisation_conflict: f32,
    /// Address.
    pub address: AddressWeights,
    /// The most that a shared date of birth can give.
    pub birth_cap: f32,
    /// Dates of birth one typing error, or day and month, apart.
    pub birth_near: f32,
    /// Dates of birth of which two of year, month and day agree.
    pub birth_two_parts: f32,
    /// Dates of birth not much more than a year apart.
    pub birth_within_year: f32,
    /// Dates of birth that differ.
    pub birth_conflict: f32,
    /// Added where house and date of birth are the same and neither part of the name is: no twins.
    pub no_twins: f32,
    /// Taken off where house and surname are the same and given names differ: a family.
    pub family_off: f32,
}

impl Default for PeopleWeights {
    fn default() -> Self {
        Self {
            accept_bits: 0.5,
            prior_offset: 0.0,
            partners_cap: 3.0,
            first_name: NamePartWeights::default(),
            last_name: NamePartWeights {
                conflict: -5.0,
                ..NamePartWeights::default()
            },
            swapped_off: 1.5,
            correlation_off: 1.5,
            namesakes: Vec::new(),
            middle_equal: 1.0,
            middle_conflict: -1.5,
            generation_conflict: -18.0,
            mailbox_slack: 0.04,
            phone_slack: 0.12,
            second_contact: 2.0,
            mailbox_domain_typo: 9.0,
            mailbox_same_local: 5.0,
            mailbox_same_spelt: 1.5,
            mailbox_different: 0.0,
            phone_near: 5.0,
            phone_different: 0.0,
            mailbox_garbled: 4.0,
            mailbox_local_typo: 4.0,
            mailbox_colleagues: -5.0,
            mailbox_numbered: -16.0,
            renamed: -1.0,
            organisation_cap: 9.0,
            organisation_conflict: -2.5,
            address: AddressWeights::default(),
            birth_cap: 14.0,
            birth_near: 7.0,
            birth_two_parts: 4.5,
            birth_within_year: 0.0,
            birth_conflict: -3.0,
            no_twins: 3.0,
            family_off: 6.0,
        }
    }
}

/// Bits for addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddressWeights {
    /// Same house.
    pub house: f32,
    /// Same street or building, another house or none.
    pub street: f32,
    /// The most that a shared postal code or city can give.
    pub place_cap: f32,
    /// Street or postal code differ, and nothing agrees.
    pub conflict: f32,
    /// Only cities are known, and they differ.
    pub city_conflict: f32,
}

impl Default for AddressWeights {
    fn default() -> Self {
        Self {
            house: 10.0,
            street: 6.0,
            place_cap: 9.0,
            conflict: -2.5,
            city_conflict: -0.7,
        }
    }
}

/// Bits for companies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompanyWeights {
    /// A pair with at least as many bits as this speaks for joining.
    pub accept_bits: f32,
    /// Added to the prior of log2 of one in as many companies as there are.
    pub prior_offset: f32,
    /// The most that the rarity of a name can give.
    pub name_cap: f32,
    /// One name holds all words of the other: off its rarity.
    pub name_contained_off: f32,
    /// One typing error apart: off its rarity.
    pub name_one_edit_off: f32,
    /// Names that start with the same word: off its rarity.
    pub name_first_word_off: f32,
    /// Alike by Jaro-Winkler.
    pub name_similar: f32,
    /// Names that differ.
    pub name_conflict: f32,
    /// The chance that a domain which one company is known to use is another's as well.
    pub domain_slack: f32,
    /// The same for phones.
    pub phone_slack: f32,
    /// Phones one typing error apart, or of which one has digits before the other.
    pub phone_near: f32,
    /// Phones of which none is shared.
    pub phone_different: f32,
    /// The chance that a name which one company is known to bear is another's as well.
    pub name_slack: f32,
    /// Domains of one name under different endings, where that is the name of one of the companies, or one of them lent.
    pub domain_core_of_name: f32,
    /// Domains of one name under different endings.
    pub domain_core: f32,
    /// Domains one typing error apart.
    pub domain_typo: f32,
    /// The domain of a company where those who share a phone of the other have their mailboxes.
    pub domain_of_people: f32,
    /// Domains that differ.
    pub domain_conflict: f32,
    /// Countries that differ.
    pub country_conflict: f32,
    /// Legal forms that differ.
    pub legal_form_conflict: f32,
    /// Address.
    pub address: AddressWeights,
}

impl Default for CompanyWeights {
    fn default() -> Self {
        Self {
            accept_bits: 1.5,
            prior_offset: 2.0,
            name_cap: 16.0,
            name_contained_off: 2.0,
            name_one_edit_off: 0.5,
            name_first_word_off: 6.0,
            name_similar: 2.0,
            name_conflict: -8.0,
            domain_slack: 0.03,
            phone_slack: 0.2,
            phone_near: 5.0,
            phone_different: -1.0,
            name_slack: 0.25,
            domain_core_of_name: 2.0,
            domain_core: 5.0,
            domain_typo: 4.0,
            domain_of_people: 8.0,
            domain_conflict: -6.0,
            country_conflict: -3.0,
            legal_form_conflict: -0.5,
            address: AddressWeights {
                house: 7.0,
                street: 5.0,
                place_cap: 3.0,
                ..AddressWeights::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_data_and_what_they_leave_out_has_its_default() {
        let settings: Settings =
            serde_json::from_str(r#"{"model": {"block_cap": 3}}"#).expect("settings");
        assert_eq!(
            settings.model,
            Model {
                block_cap: 3,
                ..Model::default()
            }
        );
        assert!(serde_json::from_str::<Settings>(r#"{"modle": {}}"#).is_err());
    }
}
