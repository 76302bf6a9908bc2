//! What two records about people say for being one person's, and against it.

use super::super::cluster;
use super::super::compare::{self, CONFLICT, DateLikeness, Likeness, MISSING, NameScale, finding};
use super::super::evidence::FieldEvidence;
use super::super::learn;
use super::super::model::{Model, NamePartWeights, PeopleWeights};
use super::super::prepared::{
    Mailbox, Name, NameOrigin, PerText, Person, Place, Prepared, Symbol, Texts, place,
};
use super::known::Known;
use crate::normalise::email::EmailClass;

/// What pairs of people are weighed with.
pub(in super::super) struct Scale<'a> {
    pub(super) prepared: &'a Prepared,
    model: &'a Model,
    pub(super) texts: &'a Texts,
    pub(super) known: Known,
    /// How many people use a mailbox or phone, by its number; 0 where they were not counted, and no more than are
    /// counted at most.
    pub(in super::super) users: PerText<u8>,
    /// How many records bear a record's name, by record.
    pub(in super::super) bearers: Vec<u16>,
}

impl cluster::Scale<7> for Scale<'_> {
    fn prior(&self) -> f32 {
        self.known.prior
    }

    fn weigh(&self, left: u32, right: u32) -> Option<[FieldEvidence; 7]> {
        let prepared = self.prepared;
        let (one, other) = (
            &prepared.person(place(left))?,
            &prepared.person(place(right))?,
        );
        let name = compare::names(self.texts, self.names(), &one.name, &other.name);
        let (mut mailbox, phone) = self.contacts(one, other);
        let weights = &self.known.weights;
        match mailbox.level {
            // Initials of two colleagues look like a slip of the finger.
            "local_typo" if name.contradicts() => {
                mailbox = finding("mailbox", "colleagues", weights.mailbox_colleagues);
            }
            "garbled" if name.contradicts() => {
                mailbox = finding("mailbox", "different", weights.mailbox_different);
            }
            _ => {}
        }
        let (phone, organisation) = match mailbox.level {
            // Who shares a mailbox shares its organisation.
            "shared" | "role" | "domain_typo" | "garbled" => {
                (phone, finding("organisation", MISSING, 0.0))
            }
            _ => stronger(phone, self.organisation(one, other)),
        };
        // Who changed employer changed mailbox: both are one event.
        if organisation.level == CONFLICT && matches!(mailbox.level, "different" | "same_spelt") {
            mailbox.bits -= self.known.weights.mailbox_different;
        }
        let address = self.address(&one.place, &other.place);
        let birth = self.birth(one.birth, other.birth);
        let derived =
            one.name.origin == NameOrigin::Mailbox || other.name.origin == NameOrigin::Mailbox;
        let name_bits = if derived {
            (name.bits() * 0.8).max(-3.0)
        } else {
            name.bits()
        };
        let equal = (name.first.level, name.last.level) == ("equal", "equal");
        let learnt = if equal && !derived {
            let learnt = &self.known.weights.namesakes;
            learnt.get(self.bucket(left, &one.name))
        } else {
            None
        };
        // What the whole name says was learnt without what middle names and generations add.
        let name_bits = learnt.map_or(name_bits, |learnt| {
            learnt + name.whole.bits + self.known.weights.correlation_off
        });
        // A mailbox outlives a change of surname, and its users rarely share a given name.
        let renamed =
            mailbox.level == "shared" && name.last.level == CONFLICT && name.first.bits > 0.0;
        let name_bits = if renamed {
            name_bits - name.last.bits + self.known.weights.renamed
        } else {
            name_bits
        };
        // Of one house and one day of birth are twins too, but these share a surname.
        let not_twins = birth.level == "equal"
            && address.level == "house"
            && name.first.level == CONFLICT
            && name.last.level == CONFLICT;
        let name_bits = if not_twins {
            name_bits + self.known.weights.no_twins
        } else {
            name_bits
        };
        let family = !derived
            && address.level == "house"
            && name.first.level == CONFLICT
            && name.last.level != CONFLICT
            && name.last.bits > 0.0;
        let name_bits = if family {
            name_bits - self.known.weights.family_off.min(name.last.bits)
        } else {
            name_bits
        };
        let parts = finding("name", name_level(&name), name_bits);
        let order = finding("name_order", name.whole.level, 0.0);
        Some([parts, order, mailbox, phone, organisation, address, birth])
    }

    fn contradict(&self, left: u32, right: u32) -> bool {
        let prepared = self.prepared;
        let (Some(one), Some(other)) =
            (prepared.person(place(left)), prepared.person(place(right)))
        else {
            return false;
        };
        let given = one.name.is_given() && other.name.is_given();
        let births = !one.birth.is_empty() && !other.birth.is_empty() && one.birth != other.birth;
        let namesakes = self.are_namesakes(&one, &other);
        let clash = namesakes
            || (given
                && compare::names(self.texts, self.names(), &one.name, &other.name).contradicts());
        let born_apart = births && self.birth(one.birth, other.birth).level == CONFLICT;
        let bound = match (clash, born_apart) {
            (true, false) => self.model.contradiction_bits,
            (_, true) => self.model.birth_contradiction_bits,
            (false, false) => return false,
        };
        self.weigh(left, right)
            .is_some_and(|fields| self.total(&fields) < bound)
    }

    fn wants_partners(&self) -> bool {
        // What was learnt of namesakes holds that already.
        self.known.weights.namesakes.is_empty()
    }

    fn learn_partners(&mut self, partners: f32) {
        self.known.prior += partners
            .max(1.0)
            .log2()
            .min(self.known.weights.partners_cap);
    }

    fn is_reason(field: &FieldEvidence) -> bool {
        field.level != MISSING && field.bits != 0.0
    }
}

impl<'a> Scale<'a> {
    /// Weighs with what is known of all records.
    pub(in super::super) fn new(prepared: &'a Prepared, model: &'a Model, known: Known) -> Self {
        Self {
            prepared,
            model,
            texts: &prepared.texts,
            known,
            users: PerText::of(&prepared.texts),
            bearers: vec![1; prepared.people.len()],
        }
    }

    /// Returns what names are weighed with.
    pub(super) fn names(&self) -> NameScale<'_> {
        self.names_by(&self.known.weights)
    }

    /// Returns the same with weights of which nothing was learnt.
    pub(super) fn unlearnt_names(&self) -> NameScale<'_> {
        self.names_by(&self.model.people)
    }

    fn names_by<'s>(&'s self, weights: &'s PeopleWeights) -> NameScale<'s> {
        NameScale {
            weights,
            firsts: &self.known.firsts,
            lasts: &self.known.lasts,
        }
    }

    fn likeness(&self, one: Symbol, other: Symbol) -> Likeness {
        compare::likeness(self.texts.text(one), self.texts.text(other))
    }

    /// Returns the bucket of a record's whole name.
    pub(super) fn bucket(&self, index: u32, name: &Name) -> usize {
        let rarity = |bits: f32, weights: &NamePartWeights| bits.min(weights.rarity_cap);
        let bits = rarity(
            self.known.firsts.bits(name.first),
            &self.known.weights.first_name,
        ) + rarity(
            self.known.lasts.bits(name.last),
            &self.known.weights.last_name,
        );
        let bearers = self.bearers.get(place(index)).copied().unwrap_or_default();
        learn::bucket(bits, u32::from(bearers))
    }

    /// Says whether two records have mailboxes that differ in a number only, as an organisation gives namesakes.
    fn are_namesakes(&self, one: &Person<'_>, other: &Person<'_>) -> bool {
        one.mailboxes.iter().any(|left| {
            let shared = other
                .mailboxes
                .iter()
                .any(|right| right.address == left.address);
            !shared
                && other
                    .mailboxes
                    .iter()
                    .any(|right| is_numbered(self.prepared, left, right))
        })
    }

    /// Weighs mailboxes and phones. The best shared one takes the place of the prior: among the people who use
    /// it, the chance is one in as many.
    pub(super) fn contacts(
        &self,
        one: &Person<'_>,
        other: &Person<'_>,
    ) -> (FieldEvidence, FieldEvidence) {
        let weights = &self.known.weights;
        let nameless = one.name.origin == NameOrigin::None && other.name.origin == NameOrigin::None;
        let line = nameless
            && one.mailboxes.is_empty()
            && other.mailboxes.is_empty()
            && one.role_mailboxes == other.role_mailboxes;
        let prior = self.known.prior;
        let replaces_prior =
            |users: u32, slack: f32| -prior - (users.saturating_sub(1) as f32 + slack).log2();
        let shared = one.mailboxes.iter().filter(|mailbox| {
            other
                .mailboxes
                .iter()
                .any(|known| known.address == mailbox.address)
        });
        let mailbox_users = shared.map(|mailbox| self.users_of(mailbox.address)).min();
        let shares_role = nameless
            && one
                .role_mailboxes
                .iter()
                .any(|role| other.role_mailboxes.contains(role));
        let mailbox = match mailbox_users {
            Some(users) => finding(
                "mailbox",
                "shared",
                replaces_prior(if nameless { 1 } else { users }, weights.mailbox_slack),
            ),
            None if shares_role => {
                finding("mailbox", "role", replaces_prior(1, weights.mailbox_slack))
            }
            None => self.different_mailboxes(one, other),
        };
        let shared = one
            .phones
            .iter()
            .filter(|phone| other.phones.contains(phone));
        let phone_users = shared.map(|phone| self.users_of(*phone)).min();
        let phone = match phone_users {
            Some(users) => finding(
                "phone",
                "shared",
                replaces_prior(if line { 1 } else { users }, weights.phone_slack),
            ),
            None if one.phones.is_empty() || other.phones.is_empty() => {
                finding("phone", MISSING, 0.0)
            }
            None if compare::are_near(self.texts, one.phones, other.phones) => {
                finding("phone", "near", weights.phone_near)
            }
            None => finding("phone", "different", weights.phone_different),
        };
        match (
            mailbox_users.is_some() || shares_role,
            phone_users.is_some(),
        ) {
            (true, true) if mailbox.bits >= phone.bits => {
                (mailbox, finding("phone", "second", weights.second_contact))
            }
            (true, false) => (
                mailbox,
                FieldEvidence {
                    bits: phone.bits.min(weights.second_contact),
                    ..phone
                },
            ),
            (true, true) => (finding("mailbox", "shared", weights.second_contact), phone),
            // A shared contact that says less than nothing, because so many use it, is no evidence at all.
            (false, true) => (
                mailbox,
                FieldEvidence {
                    bits: phone.bits.max(0.0),
                    ..phone
                },
            ),
            _ => (mailbox, phone),
        }
    }

    /// Returns how many people use a mailbox or phone.
    fn users_of(&self, value: Symbol) -> u32 {
        u32::from(self.users.get(value).max(1))
    }

    /// Weighs mailboxes of which none is shared.
    fn different_mailboxes(&self, one: &Person<'_>, other: &Person<'_>) -> FieldEvidence {
        let spells = |mailbox: &Mailbox| [one, other].map(|who| self.spells(mailbox, &who.name));
        let mut best = finding("mailbox", MISSING, 0.0);
        for left in one.mailboxes {
            for right in other.mailboxes {
                let spelt = self.have_one_name(left, right) && spells(left) != [false; 2];
                let found = self.two_mailboxes(left, right, spelt);
                if best.level == MISSING || found.bits > best.bits {
                    best = found;
                }
            }
        }
        best
    }

    /// Says whether a mailbox name is no more than a person's name, whole or with initials.
    fn spells(&self, mailbox: &Mailbox, name: &Name) -> bool {
        let local = self.prepared.local(mailbox);
        if local.bytes().any(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let parts = [name.first, name.last].map(|part| self.texts.text(part));
        let rest = parts
            .iter()
            .filter(|part| part.len() > 1)
            .fold(local.replace(['.', '-', '_'], ""), |rest, part| {
                rest.replacen(&part.replace(' ', ""), "", 1)
            });
        rest.len() < 3 && rest.len() < local.len()
    }

    /// Says whether two mailboxes have the same before the `@`.
    fn have_one_name(&self, one: &Mailbox, other: &Mailbox) -> bool {
        one.local == other.local && self.prepared.local(one) == self.prepared.local(other)
    }

    /// Weighs two mailboxes that differ. `spelt` says that both have the same name, which is their users' own.
    fn two_mailboxes(&self, one: &Mailbox, other: &Mailbox, spelt: bool) -> FieldEvidence {
        const TELLING: usize = 6;
        let weights = &self.known.weights;
        let telling = usize::from(one.local_len.min(other.local_len)) >= TELLING;
        let different = finding("mailbox", "different", weights.mailbox_different);
        if self.have_one_name(one, other) {
            let typo = self.likeness(one.domain, other.domain) == Likeness::OneEdit;
            return if typo {
                finding("mailbox", "domain_typo", weights.mailbox_domain_typo)
            } else if spelt {
                let bits = weights.mailbox_different + weights.mailbox_same_spelt;
                finding("mailbox", "same_spelt", bits)
            } else if telling {
                finding("mailbox", "same_local", weights.mailbox_same_local)
            } else {
                different
            };
        }
        if one.domain == other.domain {
            if is_numbered(self.prepared, one, other) {
                return finding("mailbox", "numbered", weights.mailbox_numbered);
            }
            if telling && compare::edits(self.prepared.local(one), self.prepared.local(other)) <= 1
            {
                return finding("mailbox", "local_typo", weights.mailbox_local_typo);
            }
            if one.class == EmailClass::Work && other.class == EmailClass::Work {
                return finding("mailbox", "colleagues", weights.mailbox_colleagues);
            }
        } else if telling && self.are_garbled(one, other) {
            return finding("mailbox", "garbled", weights.mailbox_garbled);
        }
        different
    }

    /// Says whether names and domains of two mailboxes both have typing errors.
    fn are_garbled(&self, one: &Mailbox, other: &Mailbox) -> bool {
        const EDITS: usize = 2;
        let both_free = one.class == EmailClass::Free && other.class == EmailClass::Free;
        if both_free || usize::from(one.local_len.abs_diff(other.local_len)) > EDITS {
            return false;
        }
        let [local, other_local] = [one, other].map(|mailbox| self.prepared.local(mailbox));
        local.get(..1) == other_local.get(..1)
            && compare::edits(local, other_local) <= EDITS
            && self.likeness(one.domain, other.domain) == Likeness::OneEdit
    }

    /// Weighs organisations.
    pub(super) fn organisation(&self, one: &Person<'_>, other: &Person<'_>) -> FieldEvidence {
        let weights = &self.known.weights;
        if one.organisations.is_empty() || other.organisations.is_empty() {
            return finding("organisation", MISSING, 0.0);
        }
        let shared = one
            .organisations
            .iter()
            .filter(|org| other.organisations.contains(org));
        let bits = shared
            .map(|org| self.known.organisations.bits(org))
            .max_by(f32::total_cmp);
        match bits {
            Some(bits) => finding("organisation", "equal", bits.min(weights.organisation_cap)),
            None => finding("organisation", CONFLICT, weights.organisation_conflict),
        }
    }

    /// Weighs addresses.
    pub(super) fn address(&self, one: &Place, other: &Place) -> FieldEvidence {
        let scale = (&self.known.places, &self.known.weights.address);
        compare::places(self.texts, scale, one, other)
    }

    /// Weighs dates of birth.
    pub(super) fn birth(&self, one: Symbol, other: Symbol) -> FieldEvidence {
        const FIELD: &str = "birth_date";
        let weights = &self.known.weights;
        if one.is_empty() || other.is_empty() {
            return finding(FIELD, MISSING, 0.0);
        }
        if one == other {
            let bits = self.known.births.bits(&one);
            return finding(FIELD, "equal", bits.clamp(0.0, weights.birth_cap));
        }
        match compare::date_likeness(self.texts.text(one), self.texts.text(other)) {
            DateLikeness::Near => finding(FIELD, "near", weights.birth_near),
            DateLikeness::TwoParts => finding(FIELD, "two_parts", weights.birth_two_parts),
            DateLikeness::WithinYear => finding(FIELD, "within_year", weights.birth_within_year),
            DateLikeness::Different => finding(FIELD, CONFLICT, weights.birth_conflict),
        }
    }
}

/// Says whether two work mailboxes at one domain differ in a number at the end only.
fn is_numbered(prepared: &Prepared, one: &Mailbox, other: &Mailbox) -> bool {
    let bare = |mailbox: &Mailbox| {
        prepared
            .local(mailbox)
            .trim_end_matches(|letter: char| letter.is_ascii_digit())
    };
    one.domain == other.domain
        && one.class == EmailClass::Work
        && one.address != other.address
        && bare(one) == bare(other)
}

/// Keeps the stronger of a shared phone and a shared organisation: a switchboard is its organisation's.
fn stronger(phone: FieldEvidence, organisation: FieldEvidence) -> (FieldEvidence, FieldEvidence) {
    if !matches!(phone.level, "shared" | "near") || organisation.bits <= 0.0 {
        (phone, organisation)
    } else if phone.bits >= organisation.bits {
        (
            phone,
            FieldEvidence {
                bits: 0.0,
                ..organisation
            },
        )
    } else {
        (FieldEvidence { bits: 0.0, ..phone }, organisation)
    }
}

/// Names the level of two whole names.
fn name_level(name: &compare::NameFinding) -> &'static str {
    match (name.first.level, name.last.level) {
        (MISSING, MISSING) => MISSING,
        (CONFLICT, CONFLICT) => CONFLICT,
        (CONFLICT, _) => "other_first_name",
        (_, CONFLICT) => "other_last_name",
        ("equal", "equal") => "equal",
        (MISSING, _) => "last_name_only",
        (_, MISSING) => "first_name_only",
        ("nickname", _) => "nickname",
        ("initial", _) | (_, "initial") => "initial",
        ("truncated", _) | (_, "truncated") => "truncated",
        _ => "similar",
    }
}
