//! Licence plates of the mainland: one way to write them, and what is one.

/// What may come first: where the car is registered.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
/// What may come last instead of a digit: what the car is for, or where else it may go.
const KINDS: &str = "学警挂港澳领使试超";

/// A plate as it is kept and compared: capital letters, without the dot, spaces and dashes between its signs.
pub fn normal(text: &str) -> String {
    let between = ['·', '•', '・', '.', '．', '-', '－'];
    let kept = text.chars().filter(|it| !it.is_whitespace() && !it.is_control() && !between.contains(it));
    kept.map(|it| it.to_ascii_uppercase()).collect()
}

/// Whether a plate in its normal form is one: 浙A12345, 浙AD12345 for new energy, and those of the police, of learners, of
/// trailers, of Hong Kong and Macao, of consulates and embassies, and of the armed police.
pub fn is_plate(plate: &str) -> bool {
    let signs: Vec<char> = plate.chars().collect();
    match signs.as_slice() {
        // 使014578, as embassies had them, and 224001使, as they have them now.
        ['使', digits @ ..] | [digits @ .., '使'] if are_digits(digits) => digits.len() == 6,
        // WJ01 12345, WJ浙12345, WJ浙1234X.
        ['W', 'J', rest @ ..] => match rest {
            [province, rest @ ..] if is_province(*province) => rest.len() == 5 && are_serial(rest),
            rest => rest.len() == 7 && are_serial(rest),
        },
        [province, office, serial @ ..] if is_province(*province) && office.is_ascii_uppercase() => {
            let (last, rest) = match serial.split_last() {
                Some((last, rest)) if KINDS.contains(*last) => (1, rest),
                _ => (0, serial),
            };
            are_serial(rest) && (rest.len() + last == 5 || (last == 0 && rest.len() == 6))
        }
        _ => false,
    }
}

fn is_province(it: char) -> bool {
    PROVINCES.contains(it)
}

fn are_digits(signs: &[char]) -> bool {
    signs.iter().all(char::is_ascii_digit)
}

/// Digits and letters, of which I and O are left out because they look like digits.
fn are_serial(signs: &[char]) -> bool {
    signs.iter().all(|it| it.is_ascii_digit() || (it.is_ascii_uppercase() && !matches!(it, 'I' | 'O')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates_are_told_from_other_texts() {
        for plate in [
            "浙A12345",
            "京AD12345",
            "粤B12345F",
            "浙a·12345",
            " 沪 C-8888X ",
            "京A1234警",
            "浙A1234学",
            "鲁B1234挂",
            "粤Z1234港",
            "粤Z1234澳",
            "沪A0123领",
            "使014578",
            "224001使",
            "WJ浙12345",
            "WJ0112345",
            "京O12345",
        ] {
            assert!(is_plate(&normal(plate)), "{plate}");
        }
        for text in [
            "",
            "xx",
            "浙",
            "浙A",
            "浙A1234",
            "浙A1234567",
            "A12345",
            "浙112345",
            "浙AI2345",
            "浙A123警45",
            "123456",
            "使01457",
            "使",
            "WJ",
            "WJ浙1234",
            "天A12345",
            "浙A12345警",
            "浙A<1234",
        ] {
            assert!(!is_plate(&normal(text)), "{text}");
        }
    }
}
