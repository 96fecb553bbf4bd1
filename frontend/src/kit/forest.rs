//! A tree as a list: each node is followed by all that is below it.

use super::select::Opt;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id and what it is called.
    pub it: Opt,
    /// How many nodes it is below.
    pub depth: usize,
    /// The place after the last node below it.
    pub end: usize,
}

/// Nodes in the order in which they are shown when all is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forest(Vec<Node>);

/// How much of what is below a node is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing.
    Off,
    /// Something.
    Half,
    /// All.
    On,
}

/// Where a key leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To another node.
    To(usize),
    /// What is below this one is to be shown.
    Open(usize),
    /// What is below this one is to be hidden.
    Close(usize),
}

impl Forest {
    /// Puts nodes below those that they name. Whose parent is not there stands by itself; so does one of a circle.
    pub fn grow(given: Vec<(Opt, Option<String>)>) -> Self {
        let mut forest = Self::default();
        let mut rest: Vec<Option<(Opt, Option<String>)>> = given.into_iter().map(Some).collect();
        let known = |rest: &[Option<(Opt, Option<String>)>], id: &str| rest.iter().flatten().any(|it| it.0.value == id);
        loop {
            let orphan = |it: &Option<(Opt, Option<String>)>| {
                it.as_ref().is_some_and(|it| it.1.as_deref().is_none_or(|parent| !known(&rest, parent)))
            };
            let next = rest.iter().position(orphan).or_else(|| rest.iter().position(Option::is_some));
            let Some((it, _)) = next.and_then(|next| rest.get_mut(next)?.take()) else { return forest };
            forest.plant(it, 0, &mut rest);
        }
    }

    fn plant(&mut self, it: Opt, depth: usize, rest: &mut [Option<(Opt, Option<String>)>]) {
        let (id, place) = (it.value.clone(), self.0.len());
        self.0.push(Node { it, depth, end: 0 });
        let below = |it: &Option<(Opt, Option<String>)>| it.as_ref().is_some_and(|it| it.1.as_ref() == Some(&id));
        while let Some(child) = rest.iter().position(below) {
            if let Some((child, _)) = rest.get_mut(child).and_then(Option::take) {
                self.plant(child, depth + 1, rest);
            }
        }
        let end = self.0.len();
        self.0.iter_mut().skip(place).take(1).for_each(|it| it.end = end);
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    /// A node.
    pub fn get(&self, place: usize) -> Option<&Node> {
        self.0.get(place)
    }

    /// Where a node is.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.0.iter().position(|it| it.it.value == id)
    }

    /// Whether there is anything below a node.
    pub fn inner(&self, place: usize) -> bool {
        self.0.get(place).is_some_and(|it| it.end > place + 1)
    }

    /// The nodes directly below one, or without one those that are below none.
    pub fn below(&self, place: Option<usize>) -> Vec<usize> {
        let (mut next, end) = match place {
            Some(place) => (place + 1, self.0.get(place).map_or(0, |it| it.end)),
            None => (0, self.0.len()),
        };
        let mut found = Vec::new();
        while next < end {
            found.push(next);
            next = self.0.get(next).map_or(end, |it| it.end);
        }
        found
    }

    /// The ids of all nodes that have something below them.
    pub fn inner_ids(&self) -> Vec<String> {
        self.0.iter().enumerate().filter(|(place, _)| self.inner(*place)).map(|(_, it)| it.it.value.clone()).collect()
    }

    /// The ids of the nodes at or below a place that have nothing below them.
    pub fn leaf_ids(&self, place: usize) -> Vec<String> {
        let end = self.0.get(place).map_or(place, |it| it.end);
        (place..end)
            .filter(|it| !self.inner(*it))
            .filter_map(|it| self.0.get(it))
            .map(|it| it.it.value.clone())
            .collect()
    }

    /// What is shown while these are open and this is searched for: what is found, all above it and all below it.
    pub fn shown(&self, open: &[String], typed: &str) -> Vec<usize> {
        let typed = typed.to_ascii_lowercase();
        let found = |place: usize| {
            typed.is_empty() || self.0.get(place).is_some_and(|it| it.it.label.to_ascii_lowercase().contains(&typed))
        };
        let mut shown = Vec::new();
        let (mut place, mut below_found) = (0, 0);
        while let Some(it) = self.0.get(place) {
            if found(place) {
                below_found = below_found.max(it.end);
            }
            if place >= below_found && !(place..it.end).any(found) {
                place = it.end;
                continue;
            }
            shown.push(place);
            place = if typed.is_empty() && !open.contains(&it.it.value) { it.end } else { place + 1 };
        }
        shown
    }

    /// How much of each node is chosen, when these leaves are.
    pub fn marks(&self, chosen: &[String]) -> Vec<Mark> {
        let mut marks = vec![Mark::Off; self.0.len()];
        for (place, it) in self.0.iter().enumerate().rev() {
            let below = self.below(Some(place));
            let all = |mark: Mark| below.iter().all(|it| marks.get(*it) == Some(&mark));
            let mark = match below.is_empty() {
                true if chosen.contains(&it.it.value) => Mark::On,
                true => Mark::Off,
                false if all(Mark::On) => Mark::On,
                false if all(Mark::Off) => Mark::Off,
                false => Mark::Half,
            };
            marks.iter_mut().skip(place).take(1).for_each(|it| *it = mark);
        }
        marks
    }

    /// Where a key leads from a place among those that are shown.
    pub fn step(&self, shown: &[usize], at: usize, key: &str) -> Option<Step> {
        let rank = shown.iter().position(|it| *it == at)?;
        let end = self.0.get(at)?.end;
        let first_below = shown.get(rank + 1).copied().filter(|it| *it < end);
        let to = match key {
            "ArrowDown" => shown.get(rank + 1),
            "ArrowUp" => shown.get(rank.checked_sub(1)?),
            "Home" => shown.first(),
            "End" => shown.last(),
            "ArrowRight" if self.inner(at) && first_below.is_none() => return Some(Step::Open(at)),
            "ArrowRight" => return first_below.map(Step::To),
            "ArrowLeft" if first_below.is_some() => return Some(Step::Close(at)),
            "ArrowLeft" => return (0..at).rev().find(|it| self.0.get(*it).is_some_and(|it| it.end > at)).map(Step::To),
            _ => None,
        };
        to.copied().map(Step::To)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opt(name: &str) -> Opt {
        Opt { value: name.to_owned(), label: name.to_uppercase(), note: String::new() }
    }

    fn forest(pairs: &[(&str, &str)]) -> Forest {
        let given = |(name, parent): &(&str, &str)| (opt(name), Some(parent.to_string()).filter(|it| !it.is_empty()));
        Forest::grow(pairs.iter().map(given).collect())
    }

    /// a(b(c d) e) f
    fn sample() -> Forest {
        forest(&[("c", "b"), ("a", ""), ("b", "a"), ("d", "b"), ("f", ""), ("e", "a")])
    }

    fn text(forest: &Forest, places: &[usize]) -> String {
        places.iter().filter_map(|it| forest.get(*it)).map(|it| format!("{}{}", it.it.value, it.depth)).collect()
    }

    fn ids(names: &str) -> Vec<String> {
        names.chars().map(String::from).collect()
    }

    #[test]
    fn nodes_follow_their_parents() {
        let it = sample();
        assert_eq!(text(&it, &[0, 1, 2, 3, 4, 5]), "a0b1c2d2e1f0");
        assert_eq!(text(&it, &it.below(None)), "a0f0");
        assert_eq!(text(&it, &it.below(it.place("b"))), "c2d2");
        assert_eq!(it.inner_ids(), ids("ab"));
        assert_eq!(it.leaf_ids(0), ids("cde"));
    }

    #[test]
    fn strangers_and_circles_are_shown_all_the_same() {
        let it = forest(&[("x", "gone"), ("m", "n"), ("n", "m"), ("y", "y")]);
        assert_eq!(it.nodes().len(), 4);
        assert_eq!(text(&it, &it.below(None)), "x0m0y0");
        assert_eq!(text(&it, &it.below(it.place("m"))), "n1");
    }

    #[test]
    fn what_is_closed_hides_what_is_below() {
        let it = sample();
        assert_eq!(text(&it, &it.shown(&[], "")), "a0f0");
        assert_eq!(text(&it, &it.shown(&ids("a"), "")), "a0b1e1f0");
        assert_eq!(text(&it, &it.shown(&ids("b"), "")), "a0f0");
    }

    #[test]
    fn searching_shows_the_way_to_what_is_found_and_what_is_below() {
        let it = sample();
        assert_eq!(text(&it, &it.shown(&[], "D")), "a0b1d2");
        assert_eq!(text(&it, &it.shown(&[], "b")), "a0b1c2d2");
        assert_eq!(text(&it, &it.shown(&[], "z")), "");
    }

    #[test]
    fn parents_are_marked_by_their_leaves() {
        use Mark::{Half, Off, On};
        let it = sample();
        assert_eq!(it.marks(&ids("")), [Off; 6]);
        assert_eq!(it.marks(&ids("cd")), [Half, On, On, On, Off, Off]);
        assert_eq!(it.marks(&ids("cf")), [Half, Half, On, Off, Off, On]);
        assert_eq!(it.marks(&ids("cdef")), [On; 6]);
    }

    #[test]
    fn keys_lead_through_the_tree() {
        let it = sample();
        let go = |open: &str, at: &str, key| {
            let step = it.step(&it.shown(&ids(open), ""), it.place(at).unwrap(), key)?;
            let (what, place) = match step {
                Step::To(place) => ("", place),
                Step::Open(place) => ("+", place),
                Step::Close(place) => ("-", place),
            };
            Some(format!("{what}{}", it.get(place).unwrap().it.value))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(go("", "a", "ArrowDown"), some("f"));
        assert_eq!(go("a", "a", "ArrowDown"), some("b"));
        assert_eq!((go("", "a", "ArrowUp"), go("", "f", "ArrowDown")), (None, None));
        assert_eq!((go("", "a", "ArrowRight"), go("a", "a", "ArrowRight")), (some("+a"), some("b")));
        assert_eq!((go("a", "a", "ArrowLeft"), go("a", "e", "ArrowLeft")), (some("-a"), some("a")));
        assert_eq!((go("ab", "d", "ArrowLeft"), go("", "f", "ArrowLeft")), (some("b"), None));
        assert_eq!((go("ab", "d", "Home"), go("ab", "a", "End")), (some("a"), some("f")));
        assert_eq!(go("", "f", "ArrowRight"), None);
    }
}
