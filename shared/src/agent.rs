//! What a browser says of itself, as people would say it.

/// Programs by what they call themselves, those first that also claim to be one of the others.
const PROGRAMS: &[(&str, &str)] = &[
    ("MicroMessenger/", "WeChat"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];
/// Systems in the same way.
const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// `Chrome 131 · Windows` for what a browser sends as its `User-Agent`; anything else as it is.
pub fn program(agent: &str) -> String {
    let named = PROGRAMS.iter().find_map(|(mark, name)| {
        let version = agent.split_once(mark)?.1.split(['.', ' ']).next()?;
        Some(format!("{name} {version}"))
    });
    let system = SYSTEMS.iter().find(|(mark, _)| agent.contains(mark)).map(|it| it.1);
    match (named, system) {
        (Some(named), Some(system)) => format!("{named} · {system}"),
        (Some(named), None) => named,
        (None, _) => agent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn browsers_are_told_apart() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
        assert_eq!(program(chrome), "Chrome 131 · Windows");
        assert_eq!(program(&format!("{chrome} Edg/131.0.2903.51")), "Edge 131 · Windows");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
        assert_eq!(program(safari), "Safari 18 · iPhone");
        assert_eq!(
            program("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"),
            "Firefox 133 · Linux"
        );
        assert_eq!(program("curl/8.5.0"), "curl/8.5.0");
        assert_eq!(program(""), "");
    }
}
