//! The shape of a tree of departments: who may be put below whom, and in which order they are read.

use std::collections::HashMap;

use shared::system::department::{DepartmentRow, MAX_DEPTH};
use shared::text::{Text, t};
use uuid::Uuid;

/// Every department of a node with the one above it.
pub type Parents = HashMap<Uuid, Option<Uuid>>;

/// Why a department cannot be put below another: the code and what people read.
pub type Misfit = (&'static str, Text);

/// Refuses to put a department below itself or a descendant, or a tree deeper than trees may be. A new department is
/// `None`.
///
/// # Errors
/// What is wrong with the parent.
pub fn fits(all: &Parents, moved: Option<Uuid>, parent: Uuid) -> Result<(), Misfit> {
    let above = ancestors(all, parent);
    if moved.is_some_and(|it| above.contains(&it)) {
        return Err(("cycle", t("不能归属自己或自己的下级部门", "Not below itself")));
    }
    let height = moved.map_or(1, |it| all.keys().filter_map(|id| distance(all, *id, it)).max().unwrap_or_default() + 1);
    if above.len() + height > MAX_DEPTH {
        return Err(("too_deep", t("部门最多 8 级", "At most 8 levels")));
    }
    Ok(())
}

/// A department and all above it.
fn ancestors(all: &Parents, from: Uuid) -> Vec<Uuid> {
    std::iter::successors(Some(from), |it| all.get(it).copied().flatten()).take(all.len()).collect()
}

/// How many levels a department is below another; `None` when it is not.
fn distance(all: &Parents, below: Uuid, above: Uuid) -> Option<usize> {
    ancestors(all, below).iter().position(|it| *it == above)
}

/// Puts departments in the order in which a tree is read: each followed by those below it, siblings by their place and
/// name. What is below a department that is not among them comes as it would without it.
pub fn arranged(mut rows: Vec<DepartmentRow>) -> Vec<DepartmentRow> {
    rows.sort_by(|a, b| (a.position, &a.name, a.id).cmp(&(b.position, &b.name, b.id)));
    let there: Vec<Uuid> = rows.iter().map(|it| it.id).collect();
    let mut below: HashMap<Option<Uuid>, Vec<DepartmentRow>> = HashMap::new();
    // The last comes first, so that the first is taken first.
    for row in rows.into_iter().rev() {
        below.entry(row.parent_id.filter(|it| there.contains(it))).or_default().push(row);
    }
    let mut waiting = below.remove(&None).unwrap_or_default();
    let mut arranged = Vec::with_capacity(there.len());
    while let Some(row) = waiting.pop() {
        waiting.extend(below.remove(&Some(row.id)).unwrap_or_default());
        arranged.push(row);
    }
    arranged
}

#[cfg(test)]
mod tests {
    use shared::user::UserKind;

    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    /// 1 ─ 2 ─ 3 ─ 4, and 5 below 1.
    fn parents() -> Parents {
        let pairs = [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3)), (5, Some(1))];
        pairs.into_iter().map(|(it, parent)| (id(it), parent.map(id))).collect()
    }

    #[test]
    fn nothing_is_below_itself_and_no_tree_too_deep() {
        let all = parents();
        let code = |moved: Option<u128>, parent| fits(&all, moved.map(id), id(parent)).err().map(|it| it.0);
        for below in [2, 3, 4] {
            assert_eq!(code(Some(2), below), Some("cycle"), "{below}");
        }
        assert_eq!(code(Some(2), 5), None);
        assert_eq!(code(Some(5), 4), None);
        assert_eq!(code(None, 4), None);

        let mut deep = all.clone();
        deep.extend((6..=9).map(|it| (id(it), Some(id(if it == 6 { 4 } else { it - 1 })))));
        let code = |moved: Option<u128>, parent| fits(&deep, moved.map(id), id(parent)).err().map(|it| it.0);
        // 9 is at the eighth level.
        assert_eq!((code(None, 8), code(None, 9)), (None, Some("too_deep")));
        assert_eq!((code(Some(5), 8), code(Some(2), 5)), (None, Some("too_deep")));
    }

    #[test]
    fn trees_are_read_from_the_top() {
        let row = |it: u128, parent: Option<u128>, position| DepartmentRow {
            id: id(it),
            kind: UserKind::Platform,
            provider_id: None,
            provider_name: None,
            property_id: None,
            property_name: None,
            collective_id: None,
            collective_name: None,
            parent_id: parent.map(id),
            parent_name: None,
            name: it.to_string(),
            position,
            leader: None,
            phone: None,
            email: None,
            enabled: true,
            users: 0,
            version: 1,
            created_at: chrono::DateTime::UNIX_EPOCH,
            updated_at: chrono::DateTime::UNIX_EPOCH,
        };
        let rows =
            vec![row(4, Some(3), 0), row(5, Some(1), 1), row(3, Some(2), 0), row(1, None, 0), row(2, Some(1), 2)];
        let order = |rows| arranged(rows).into_iter().map(|it| it.id.as_u128()).collect::<Vec<_>>();
        assert_eq!(order(rows.clone()), [1, 5, 2, 3, 4]);
        let without_the_top: Vec<_> = rows.into_iter().filter(|it| it.id != id(1)).collect();
        assert_eq!(order(without_the_top), [5, 2, 3, 4]);
    }
}
