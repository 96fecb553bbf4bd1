//! Violations of what holds of cards.

use super::Plant;

const ISSUE: &str = "R-42 a card is issued for its price with its face value on it: card_issue:{card} should be …";
const RECHARGE: &str = "R-43 a recharge puts on the card what was paid: card_recharge:…";

pub const PLANTS: &[Plant] = &[
    ("update cards set price_fen = price_fen + 1 where id = '{card}'", &[ISSUE]),
    ("update cards set face_fen = 45000 where id = '{card}'", &[ISSUE]),
    ("update cards set collective_id = null, issued_to = 'person' where id = '{company card}'", &[
        "R-42 a card is issued for its price with its face value on it: card_issue:{company card} should be …",
        RECHARGE,
    ]),
    (
        "delete from cards where id = '{card}'",
        &[
            ISSUE,
            RECHARGE,
            "I-12 a posting about a card or a collective has one: card_issue:{card} is about none",
            "I-12 a posting about a card or a collective has one: card_recharge:…",
        ],
    ),
    (
        "delete from collectives where id = '{collective}'",
        &["I-12 a posting about a card or a collective has one: group_recharge:…"],
    ),
    (
        "select pg_temp.post('card_recharge', 'card_recharge:1', '{card}', '{cash:{property},card_p:{card},card_b:{card}}',
            '{100,-90,-10}')",
        &["R-43 a recharge puts on the card what was paid: card_recharge:1: 100 paid and 90 put on, 0 given and 10 put on"],
    ),
];
