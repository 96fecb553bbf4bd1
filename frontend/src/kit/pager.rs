//! Which page numbers a pager offers.

/// One place in the pager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A page.
    Page(i64),
    /// Pages left out; going there leads to this page.
    Gap(i64),
}

/// The last page of a list.
pub fn last_page(total: i64, size: i64) -> i64 {
    (total.max(1) + size.max(1) - 1) / size.max(1)
}

/// The stops of a pager: the ends, and the neighbours of where one is.
pub fn stops(current: i64, last: i64) -> Vec<Stop> {
    if last <= 7 {
        return (1..=last.max(1)).map(Stop::Page).collect();
    }
    let current = current.clamp(1, last);
    let (from, to) = match current {
        ..=4 => (2, 6),
        it if it >= last - 3 => (last - 5, last - 1),
        it => (it - 2, it + 2),
    };
    let mut stops = vec![Stop::Page(1)];
    if from > 2 {
        stops.push(Stop::Gap((current - 5).max(2)));
    }
    stops.extend((from..=to).map(Stop::Page));
    if to < last - 1 {
        stops.push(Stop::Gap((current + 5).min(last - 1)));
    }
    stops.push(Stop::Page(last));
    stops
}

#[cfg(test)]
mod tests {
    use super::{last_page, stops};

    fn text(current: i64, last: i64) -> String {
        let stop = |it| match it {
            super::Stop::Page(page) => page.to_string(),
            super::Stop::Gap(page) => format!("…{page}"),
        };
        stops(current, last).into_iter().map(stop).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn counts_pages() {
        assert_eq!(last_page(0, 20), 1);
        assert_eq!(last_page(20, 20), 1);
        assert_eq!(last_page(21, 20), 2);
    }

    #[test]
    fn shows_ends_and_neighbours() {
        assert_eq!(text(1, 1), "1");
        assert_eq!(text(3, 7), "1 2 3 4 5 6 7");
        assert_eq!(text(1, 20), "1 2 3 4 5 6 …6 20");
        assert_eq!(text(10, 20), "1 …5 8 9 10 11 12 …15 20");
        assert_eq!(text(20, 20), "1 …15 15 16 17 18 19 20");
        assert_eq!(text(99, 8), "1 …3 3 4 5 6 7 8");
    }
}
