//! What pairs of records that share a key teach, beside names.
//!
//! Those who share a mailbox tell in how many forms a name is written, those who share a house who lives in one and how
//! often a date of birth is wrong, those of one date of birth whose names can be one person's how often people move, and
//! records of one domain how often phones and legal forms of one company differ.

use super::compare::{CONFLICT, MISSING};
use super::learn::{BELIEF, bounded};
use super::model::{AddressWeights, CompanyWeights, NamePartWeights, PeopleWeights};

/// The levels of two records about people: of given name, surname, address and date of birth.
pub(super) type PersonLevels<'a> = [&'a str; 4];

/// Says whether two names are one person's as far as names go.
fn are_alike([first, last, ..]: PersonLevels<'_>) -> bool {
    first != CONFLICT && last != CONFLICT
}

/// What pairs of people's records that share a key teach.
pub(super) trait PairLesson: Default + Send {
    /// Counts so many pairs by their levels.
    fn count(&mut self, levels: PersonLevels<'_>, pairs: f64);

    /// Adds what others counted.
    fn and(self, others: Self) -> Self;

    /// Returns the weights with what these pairs teach, within bounds; as they were where there are too few.
    fn teach(&self, weights: &PeopleWeights) -> PeopleWeights;
}

/// How often the parts of one person's names are written in which form.
#[derive(Debug, Default)]
pub(super) struct Forms {
    first: Form,
    last: Form,
}

/// How often one part of a name is written in which form.
#[derive(Debug, Default)]
struct Form {
    equal: f64,
    nickname: f64,
    one_edit: f64,
}

/// Fewer names than this teach nothing.
const FEWEST_NAMES: f64 = 500.0;

/// The most that a form which is rarer than was thought loses.
const MOST_LOST: f64 = 4.0;

impl PairLesson for Forms {
    fn count(&mut self, [first, last, ..]: PersonLevels<'_>, names: f64) {
        for (form, level) in [(&mut self.first, first), (&mut self.last, last)] {
            match level {
                "equal" => form.equal += names,
                "nickname" => form.nickname += names,
                "one_edit" => form.one_edit += names,
                _ => {}
            }
        }
    }

    fn and(mut self, others: Self) -> Self {
        for (form, other) in [
            (&mut self.first, others.first),
            (&mut self.last, others.last),
        ] {
            form.equal += other.equal;
            form.nickname += other.nickname;
            form.one_edit += other.one_edit;
        }
        self
    }

    fn teach(&self, weights: &PeopleWeights) -> PeopleWeights {
        PeopleWeights {
            first_name: self.first.teach(&weights.first_name),
            last_name: self.last.teach(&weights.last_name),
            ..weights.clone()
        }
    }
}

impl Form {
    fn teach(&self, weights: &NamePartWeights) -> NamePartWeights {
        if self.equal < FEWEST_NAMES {
            return weights.clone();
        }
        let off = |count: f64, expected: f32| {
            let expected = f64::from(expected);
            let rarer = f64::from(weights.equal_off) + (self.equal / (count + 1.0)).log2();
            bounded(rarer, (expected, expected + MOST_LOST))
        };
        NamePartWeights {
            nickname_off: off(self.nickname, weights.nickname_off),
            one_edit_off: off(self.one_edit, weights.one_edit_off),
            ..weights.clone()
        }
    }
}

/// How often those who share a house are one person by their names, and how far the dates of birth of one person there are
/// apart. Of those who share a house and live in two places nothing is counted.
#[derive(Debug, Default)]
pub(super) struct Households {
    alike: f64,
    unlike: f64,
    births: Births,
}

/// Fewer houses than this teach nothing.
const FEWEST_HOUSES: f64 = 200.0;

/// How often the least alike of one person's names contradict each other: a surname changes, a wrong name is written.
const MISNAMED: f64 = 0.05;

/// What a shared house may lose and gain in bits: it never says all.
const HOUSE_BOUNDS: (f64, f64) = (-2.0, 5.0);

/// So many times what the house gains, a surname that is shared there is worth again. Where many live in a house, it is
/// worth no less than in a family.
const FAMILY_GAIN: f32 = 3.0;

impl PairLesson for Households {
    fn count(&mut self, levels: PersonLevels<'_>, houses: f64) {
        let [.., address, birth] = levels;
        if address != "house" {
            return;
        }
        if are_alike(levels) {
            self.alike += houses;
            self.births.count(birth, houses);
        } else {
            self.unlike += houses;
        }
    }

    fn and(mut self, others: Self) -> Self {
        self.alike += others.alike;
        self.unlike += others.unlike;
        self.births = self.births.and(&others.births);
        self
    }

    fn teach(&self, weights: &PeopleWeights) -> PeopleWeights {
        let weights = self.births.teach(weights);
        let houses = self.alike + self.unlike;
        if houses < FEWEST_HOUSES {
            return weights;
        }
        let several = (self.unlike - MISNAMED * houses).max(1.0);
        let gain = bounded((self.alike / several).log2(), HOUSE_BOUNDS);
        PeopleWeights {
            address: AddressWeights {
                house: weights.address.house + gain,
                ..weights.address
            },
            family_off: (weights.family_off - FAMILY_GAIN * gain.max(0.0)).max(0.0),
            ..weights
        }
    }
}

/// The levels of two dates of birth that differ, each with the share of any two people whose dates are so far apart: counted
/// over two million pairs of days out of seventy years.
const UNEQUAL_BIRTHS: [(&str, f64); 4] = [
    ("near", 0.0013),
    ("two_parts", 0.003),
    ("within_year", 0.029),
    (CONFLICT, 0.967),
];

/// What a level of dates of birth may lose and gain in bits against what was believed.
const BIRTH_BOUNDS: (f64, f64) = (-4.0, 2.0);

/// How often two dates of birth of one person are how far apart.
#[derive(Debug, Default)]
struct Births {
    pairs: f64,
    /// By the levels of [`UNEQUAL_BIRTHS`].
    unequal: [f64; UNEQUAL_BIRTHS.len()],
}

impl Births {
    /// Counts so many pairs by the level of the dates.
    fn count(&mut self, level: &str, pairs: f64) {
        if level == MISSING {
            return;
        }
        self.pairs += pairs;
        let levels = UNEQUAL_BIRTHS.iter().zip(&mut self.unequal);
        let found = levels.filter(|((known, _), _)| *known == level);
        found.for_each(|(_, count)| *count += pairs);
    }

    fn and(mut self, others: &Self) -> Self {
        self.pairs += others.pairs;
        for (count, other) in self.unequal.iter_mut().zip(others.unequal) {
            *count += other;
        }
        self
    }

    fn teach(&self, weights: &PeopleWeights) -> PeopleWeights {
        let mut taught = weights.clone();
        if self.pairs < FEWEST_OF_ONE {
            return taught;
        }
        let levels = [
            &mut taught.birth_near,
            &mut taught.birth_two_parts,
            &mut taught.birth_within_year,
            &mut taught.birth_conflict,
        ];
        let counts = self.unequal.iter().zip(UNEQUAL_BIRTHS);
        for (bits, (count, (_, by_chance))) in levels.into_iter().zip(counts) {
            let believed = f64::from(*bits);
            let share = (count + BELIEF * by_chance * believed.exp2()) / (self.pairs + BELIEF);
            let (least, most) = BIRTH_BOUNDS;
            let bounds = (believed + least, believed + most);
            *bits = bounded((share / by_chance).log2(), bounds);
        }
        taught
    }
}

/// How often the addresses of those differ who share a date of birth and whose names can be one person's.
#[derive(Debug, Default)]
pub(super) struct Moves(Contradiction);

impl PairLesson for Moves {
    fn count(&mut self, levels: PersonLevels<'_>, births: f64) {
        if are_alike(levels) {
            let [.., address, _] = levels;
            let same = ["house", "street", "place"];
            self.0.count(address, (&same, CONFLICT), births);
        }
    }

    fn and(self, others: Self) -> Self {
        Self(self.0.and(&others.0))
    }

    fn teach(&self, weights: &PeopleWeights) -> PeopleWeights {
        PeopleWeights {
            address: AddressWeights {
                conflict: self.0.teach(weights.address.conflict),
                ..weights.address.clone()
            },
            ..weights.clone()
        }
    }
}

/// How often phones and legal forms of one company's records differ.
#[derive(Debug, Default)]
pub(super) struct Contradictions {
    phone: Contradiction,
    legal_form: Contradiction,
}

/// How often one field of two records of one entity agrees, and how often not.
#[derive(Debug, Default)]
struct Contradiction {
    same: f64,
    different: f64,
}

/// Fewer pairs of records of one entity than this do not teach what it says that a field differs.
const FEWEST_OF_ONE: f64 = 30.0;

/// What one entity's records are believed to do counts as much as so many that agree, and so many that do not.
const BELIEVED_EACH: f64 = 2.0;

/// What a field that differs says against an entity at most and at least: records are kept by people.
const AGAINST_BOUNDS: (f64, f64) = (-6.0, -0.5);

impl Contradictions {
    /// Counts so many pairs of one company's records, by the levels of phone and legal form.
    pub(super) fn count(&mut self, [phone, legal_form]: [&str; 2], pairs: f64) {
        self.phone
            .count(phone, (&["shared", "near"], "different"), pairs);
        self.legal_form
            .count(legal_form, (&["equal"], CONFLICT), pairs);
    }

    /// Returns the weights with what these pairs teach, within bounds; as they were where there are too few.
    pub(super) fn teach(&self, weights: &CompanyWeights) -> CompanyWeights {
        CompanyWeights {
            phone_different: self.phone.teach(weights.phone_different),
            legal_form_conflict: self.legal_form.teach(weights.legal_form_conflict),
            ..weights.clone()
        }
    }
}

impl Contradiction {
    /// Counts so many pairs by the level of the field, which is one of some where both say the same, or that where they
    /// differ; others say nothing.
    fn count(&mut self, level: &str, (same, different): (&[&str], &str), pairs: f64) {
        if same.contains(&level) {
            self.same += pairs;
        } else if level == different {
            self.different += pairs;
        }
    }

    fn and(&self, others: &Self) -> Self {
        Self {
            same: self.same + others.same,
            different: self.different + others.different,
        }
    }

    fn teach(&self, weight: f32) -> f32 {
        let pairs = self.same + self.different;
        if pairs < FEWEST_OF_ONE {
            return weight;
        }
        let different = (self.different + BELIEVED_EACH) / (pairs + 2.0 * BELIEVED_EACH);
        bounded(different.log2(), AGAINST_BOUNDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED_ALIKE: PersonLevels<'_> = ["equal", "equal", "missing", "missing"];

    #[test]
    fn few_names_teach_nothing() {
        let mut forms = Forms::default();
        forms.count(NAMED_ALIKE, 499.0);
        assert_eq!(
            forms.teach(&PeopleWeights::default()),
            PeopleWeights::default()
        );
    }

    #[test]
    fn where_one_person_lives_in_each_house_a_shared_house_says_more_and_where_many_do_less() {
        let seed = PeopleWeights::default();
        let taught = |alike: f64, unlike: f64| {
            let mut households = Households::default();
            households.count(["nickname", "equal", "house", "missing"], alike);
            households.count(["conflict", "equal", "house", "missing"], unlike);
            households.teach(&seed)
        };
        let (alone, families, flats) = (
            taught(940.0, 60.0),
            taught(500.0, 500.0),
            taught(10.0, 990.0),
        );
        assert!(alone.address.house > seed.address.house + 4.0);
        assert!(alone.family_off < f32::EPSILON);
        assert!((families.address.house - seed.address.house).abs() < 0.2);
        assert!((families.family_off - seed.family_off).abs() < 0.6);
        assert!(flats.address.house < seed.address.house - 1.0);
        assert_eq!(taught(100.0, 99.0), seed);
    }

    #[test]
    fn what_hardly_ever_differs_within_a_company_speaks_against_one() {
        let seed = CompanyWeights::default();
        let taught = |same: f64, different: f64| {
            let mut found = Contradictions::default();
            found.count(["shared", "equal"], same);
            found.count(["different", "missing"], different);
            found.teach(&seed)
        };
        let (strict, lax) = (taught(990.0, 10.0), taught(50.0, 50.0));
        assert!(strict.phone_different < -5.0);
        assert!((lax.phone_different + 1.0).abs() < 0.1);
        assert!(lax.legal_form_conflict < -3.0);
        assert_eq!(taught(20.0, 9.0), seed);
    }

    #[test]
    fn where_people_hardly_ever_move_another_address_speaks_against_one() {
        let seed = PeopleWeights::default();
        let taught = |stayed: f64, moved: f64| {
            let mut moves = Moves::default();
            moves.count(["equal", "one_edit", "street", "equal"], stayed);
            moves.count(["equal", "equal", "conflict", "equal"], moved);
            moves.count(["equal", "conflict", "conflict", "equal"], 500.0);
            moves.count(["equal", "equal", "city", "equal"], 500.0);
            moves.teach(&seed).address.conflict
        };
        assert!(taught(990.0, 10.0) < -5.0);
        assert!(taught(70.0, 30.0) > -2.0);
        assert!((taught(20.0, 9.0) - seed.address.conflict).abs() < f32::EPSILON);
    }

    #[test]
    fn where_dates_of_birth_are_hardly_ever_wrong_another_speaks_against_one() {
        let seed = PeopleWeights::default();
        let taught = |right: f64, wrong: f64| {
            let mut households = Households::default();
            households.count(["equal", "equal", "house", "equal"], right);
            households.count(["equal", "equal", "house", "conflict"], wrong);
            households.count(["conflict", "equal", "house", "conflict"], 50.0);
            households.teach(&seed)
        };
        let (strict, lax) = (taught(980.0, 20.0), taught(70.0, 30.0));
        assert!(strict.birth_conflict < -4.0);
        assert!(strict.birth_two_parts < seed.birth_two_parts - 2.0);
        assert!(strict.birth_near < seed.birth_near - 2.0);
        assert!(lax.birth_conflict > -2.0);
        assert_eq!(taught(20.0, 9.0), seed);
    }

    #[test]
    fn a_form_that_is_rarely_written_says_less() {
        let mut forms = Forms::default();
        forms.count(NAMED_ALIKE, 1_000.0);
        forms.count(["nickname", "one_edit", "missing", "missing"], 300.0);
        forms.count(["one_edit", "equal", "missing", "missing"], 20.0);
        let (seed, taught) = (
            PeopleWeights::default(),
            forms.teach(&PeopleWeights::default()),
        );
        let first = &taught.first_name;
        assert!(first.one_edit_off > seed.first_name.one_edit_off + 3.0);
        assert!(first.nickname_off < first.one_edit_off);
        assert!(first.nickname_off >= seed.first_name.nickname_off);
        assert!(taught.last_name.one_edit_off < first.one_edit_off);
    }
}
