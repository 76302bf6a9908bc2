//! What an employer, its domain and the mailboxes at it say about people.

use super::*;

#[test]
fn who_changed_the_employer_is_the_same_by_the_own_number() {
    one_entity(&people(&[
        "Maria Quillan | maria.quillan@quarry.io | +1 415 555 2671 | Quarry",
        "Maria Quillan | mquillan@bergwerk.de | +1 415 555 2671 | Bergwerk",
    ]));
}

#[test]
fn a_slip_in_a_mailboxs_domain_is_no_other_mailbox() {
    one_entity(&people(&[
        "Dora Lindqvist | dora.lindqvist@quarry.io",
        "Dora Lindqvist | dora.lindqvist@qaurry.io",
    ]));
    apart(&people(&[
        "Dora Lindqvist | dora.lindqvist@quarry.io",
        "Dora Lindqvist | dora.lindqvist@bergwerk.de",
    ]));
}
