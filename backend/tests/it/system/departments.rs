//! Departments and posts: a tree for each node, what is linked to them, and what keeps them from being removed.

use super::*;

/// The departments of a node as its tree is read.
async fn tree(client: &Client, query: &str) -> Vec<(String, Value)> {
    let rows = client.get(&format!("{DEPARTMENTS}/tree?{query}")).await.ok();
    let row = |it: &Value| (text(&it["name"]).to_owned(), it["parent_name"].clone());
    rows.as_array().unwrap().iter().map(row).collect()
}

/// The form that leaves a department or post as it is.
fn form_of(row: &Value) -> Value {
    let mut form = row.clone();
    let gone = ["id", "provider_name", "property_name", "collective_name", "parent_name", "users", "created_at"];
    for name in gone.iter().chain(&["updated_at", "department_name"]) {
        form.as_object_mut().unwrap().remove(*name);
    }
    form
}

async fn change(by: &Client, path: &str, row: &Value, changes: &[(&str, Value)]) -> crate::app::Answer {
    let path = format!("{path}/{}", text(&row["id"]));
    let mut form = form_of(&by.get(&path).await.ok());
    for (name, value) in changes {
        form[*name] = value.clone();
    }
    by.put(&path, form).await
}

#[tokio::test]
async fn every_node_has_a_first_department_and_a_tree_below_it() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let created = pending(&app).await;
    let none = tree(&app.admin, &format!("provider_id={}", text(&created["id"]))).await;
    assert_eq!(none.len(), 0, "not before it is approved");
    app.admin.post(&format!("{PROVIDERS}/{}/approve", text(&created["id"])), json!({})).await.ok();
    let root = tree(&app.admin, &format!("provider_id={}", text(&created["id"]))).await;
    assert_eq!(root, [(text(&created["name"]).to_owned(), Value::Null)]);
    let property = json!({"name": "新物业", "contact": "李蕾", "phone": phone(&app)});
    let property = mine.boss.post(PROPERTIES, property).await.ok();
    let root = tree(&mine.boss, &format!("property_id={}", text(&property["id"]))).await;
    assert_eq!(root, [("新物业".to_owned(), Value::Null)]);
    let user = mine.boss.get(&format!("{USERS}?username={}", text(&property["phone"]))).await.ok()["items"][0].clone();
    assert_eq!(user["department_name"], "新物业", "its account is in it");
    assert_eq!(tree(&app.admin, "").await, [("平台".to_owned(), Value::Null)]);
    let collective = collective(&app, &mine).await;
    assert_eq!(tree(&mine.keeper, &format!("collective_id={collective}")).await.len(), 1);

    let name = |it: &str| ("name", json!(it));
    let sales = department(&mine.boss, "provider", &mine, &[name("市场部"), ("position", json!(2))]).await;
    let works = department(&mine.boss, "provider", &mine, &[name("运维部"), ("position", json!(1))]).await;
    let south = department(&mine.boss, "provider", &mine, &[name("南区"), ("parent_id", works["id"].clone())]).await;
    let names: Vec<_> = tree(&mine.boss, "").await.into_iter().map(|it| it.0).skip(1).collect();
    assert_eq!(names, ["运维部", "南区", "市场部"]);
    // Siblings have different names; departments of one name elsewhere do not matter.
    let again = [name("南区"), ("parent_id", works["id"].clone())];
    let mut twice = user_form("provider", &mine, "");
    twice.as_object_mut().unwrap().remove("username");
    for (name, value) in again {
        twice[name] = value;
    }
    assert_eq!(mine.boss.post(DEPARTMENTS, twice.clone()).await.fields(), [("name", "taken")]);
    twice["parent_id"] = sales["id"].clone();
    assert_eq!(mine.boss.post(DEPARTMENTS, twice.clone()).await.status, 201);
    // Nothing is put below another node's department.
    let foreign = department(&theirs.boss, "provider", &theirs, &[]).await;
    let below = department(&mine.boss, "property", &mine, &[]).await;
    for parent in [&foreign["id"], &below["id"], &json!(Uuid::now_v7())] {
        twice["parent_id"] = parent.clone();
        assert_eq!(mine.boss.post(DEPARTMENTS, twice.clone()).await.fields(), [("parent_id", "choice")]);
        assert_eq!(
            change(&mine.boss, DEPARTMENTS, &south, &[("parent_id", parent.clone())]).await.fields(),
            [("parent_id", "choice")]
        );
    }
    assert_eq!(tree(&theirs.boss, &format!("provider_id={}", mine.provider)).await.len(), 0);
    assert_eq!(theirs.boss.get(&format!("{DEPARTMENTS}/{}", text(&south["id"]))).await.status, 404);
}

#[tokio::test]
async fn trees_are_not_too_deep_and_never_circles() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let boss = &tenant.boss;
    let mut line = vec![department(boss, "provider", &tenant, &[]).await];
    for _ in 3..=8 {
        let parent = line.last().unwrap()["id"].clone();
        line.push(department(boss, "provider", &tenant, &[("parent_id", parent)]).await);
    }
    let mut ninth = form_of(line.last().unwrap());
    ninth.as_object_mut().unwrap().remove("version");
    ninth["parent_id"] = line.last().unwrap()["id"].clone();
    assert_eq!(boss.post(DEPARTMENTS, ninth).await.fields(), [("parent_id", "too_deep")]);
    let move_to =
        async |it: &Value, parent: &Value| change(boss, DEPARTMENTS, it, &[("parent_id", parent["id"].clone())]).await;
    assert_eq!(move_to(&line[0], &line[0]).await.fields(), [("parent_id", "cycle")]);
    assert_eq!(move_to(&line[0], &line[6]).await.fields(), [("parent_id", "cycle")]);
    let root = boss.get(&format!("{DEPARTMENTS}?sort=id")).await.ok()["items"][0].clone();
    assert_eq!(root["parent_id"], Value::Null);
    assert_eq!(move_to(&root, &line[6]).await.fields(), [("parent_id", "root")]);
    let other = department(boss, "provider", &tenant, &[]).await;
    assert_eq!(move_to(&line[0], &other).await.fields(), [("parent_id", "too_deep")]);
    assert_eq!(move_to(&line[1], &other).await.status, 200);
    // Two that are put below one another at the same time: only one of them is.
    for _ in 0..5 {
        let pair = [department(boss, "provider", &tenant, &[]).await, department(boss, "provider", &tenant, &[]).await];
        let outcomes = tokio::join!(move_to(&pair[0], &pair[1]), move_to(&pair[1], &pair[0]));
        let mut statuses = [outcomes.0.status, outcomes.1.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
    }
}

#[tokio::test]
async fn what_is_switched_off_is_not_linked_and_what_is_linked_is_not_removed() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let boss = &tenant.boss;
    let root = boss.get(&format!("{DEPARTMENTS}?sort=id")).await.ok()["items"][0].clone();
    let path = |it: &Value| format!("{DEPARTMENTS}/{}", text(&it["id"]));
    assert_eq!(boss.delete(&path(&root)).await.refused(), (409, "root"));
    let (above, kept) =
        (department(boss, "provider", &tenant, &[]).await, department(boss, "provider", &tenant, &[]).await);
    let parent = [("parent_id", above["id"].clone())];
    let below = department(boss, "provider", &tenant, &parent).await;
    let post = post(boss, "provider", &tenant, &above, "巡检员").await;
    let post_path = format!("{POSTS}/{}", text(&post["id"]));
    let user = |name: &str, department: &Value, post: &Value| {
        let mut form = user_form("provider", &tenant, name);
        (form["department_id"], form["post_id"]) = (department["id"].clone(), post["id"].clone());
        form
    };
    let nothing = json!({});
    assert_eq!(boss.post(USERS, user("lone", &nothing, &post)).await.fields(), [("department_id", "required")]);
    assert_eq!(boss.post(USERS, user("lone", &kept, &post)).await.fields(), [("post_id", "choice")]);
    let linked = boss.post(USERS, user("linked", &above, &post)).await.ok();
    assert_eq!((&linked["department_name"], &linked["post_name"]), (&above["name"], &json!("巡检员")));
    assert_eq!(boss.get(&format!("{}/impact", path(&above))).await.ok()["users"], 1);

    // Whoever is there stays there, and nobody comes anew.
    boss.post(&format!("{post_path}/disable"), json!({})).await.ok();
    assert_eq!(boss.post(USERS, user("late", &above, &post)).await.fields(), [("post_id", "disabled")]);
    boss.post(&format!("{}/disable", path(&above)), json!({})).await.ok();
    assert_eq!(boss.post(USERS, user("late", &above, &nothing)).await.fields(), [("department_id", "disabled")]);
    let mut again = user("linked", &above, &post);
    (again["version"], again["name"]) = (linked["version"].clone(), json!("改名"));
    let version = boss.get(&format!("{USERS}/{}", text(&linked["id"]))).await.ok()["version"].clone();
    again["version"] = version;
    assert_eq!(boss.put(&format!("{USERS}/{}", text(&linked["id"])), again).await.status, 200);
    for (resource, field) in [(DEPARTMENTS, "parent_id"), (POSTS, "department_id")] {
        let mut form = user_form("provider", &tenant, "");
        form.as_object_mut().unwrap().remove("username");
        form[field] = above["id"].clone();
        assert_eq!(boss.post(resource, form).await.fields(), [(field, "disabled")]);
    }
    boss.post(&format!("{}/enable", path(&above)), json!({})).await.ok();

    assert_eq!(boss.delete(&path(&above)).await.refused(), (409, "has_departments"));
    assert_eq!(boss.delete(&path(&below)).await.status, 204);
    assert_eq!(boss.delete(&path(&above)).await.refused(), (409, "has_posts"));
    assert_eq!(boss.delete(&post_path).await.refused(), (409, "post_in_use"));
    let moved = change(boss, POSTS, &post, &[("department_id", kept["id"].clone())]).await;
    assert_eq!(moved.refused(), (409, "post_in_use"));
    let mut without = user("linked", &above, &nothing);
    without["version"] = boss.get(&format!("{USERS}/{}", text(&linked["id"]))).await.ok()["version"].clone();
    boss.put(&format!("{USERS}/{}", text(&linked["id"])), without).await.ok();
    let moved =
        change(boss, POSTS, &post, &[("department_id", kept["id"].clone()), ("name", json!("站长"))]).await.ok();
    assert_eq!((&moved["department_id"], &moved["name"]), (&kept["id"], &json!("站长")));
    assert_eq!(boss.delete(&path(&above)).await.refused(), (409, "has_users"));
    assert_eq!(boss.delete(&format!("{USERS}/{}", text(&linked["id"]))).await.status, 204);
    assert_eq!(boss.delete(&path(&above)).await.status, 204);
    assert_eq!(boss.delete(&post_path).await.status, 204);
}

#[tokio::test]
async fn departments_and_posts_are_found_by_each_condition_and_their_state_is_part_of_the_form() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let works = department(&mine.boss, "provider", &mine, &[("name", json!("运维部"))]).await;
    let off = [("name", json!("运维二部")), ("enabled", json!(false))];
    department(&mine.boss, "property", &mine, &off).await;
    department(&theirs.boss, "provider", &theirs, &[("name", json!("运维部"))]).await;
    let total =
        async |path: &str, query: &str| app.admin.get(&format!("{path}?{query}")).await.ok()["total"].as_i64().unwrap();
    assert_eq!(total(DEPARTMENTS, "name=运维").await, 3);
    assert_eq!(total(DEPARTMENTS, "name=运维&enabled=false").await, 1);
    assert_eq!(total(DEPARTMENTS, &format!("provider_id={}&name=运维", mine.provider)).await, 2);
    assert_eq!(total(DEPARTMENTS, &format!("property_id={}&name=运维", mine.property)).await, 1);
    assert_eq!(total(DEPARTMENTS, &format!("kind=provider&provider_id={}", mine.provider)).await, 2);
    let changed =
        change(&mine.boss, DEPARTMENTS, &works, &[("enabled", json!(false)), ("leader", json!("陈晨"))]).await;
    assert_eq!((&changed.json["enabled"], &changed.json["leader"]), (&json!(false), &json!("陈晨")));
    change(&mine.boss, DEPARTMENTS, &works, &[("enabled", json!(true))]).await.ok();

    let post = post(&mine.boss, "provider", &mine, &works, "巡检员").await;
    assert_eq!((&post["enabled"], &post["department_name"]), (&json!(true), &json!("运维部")));
    let of_works = format!("department_id={}", text(&works["id"]));
    assert_eq!(total(POSTS, &of_works).await, 1);
    assert_eq!(total(POSTS, &format!("{of_works}&name=巡&enabled=true")).await, 1);
    assert_eq!(total(POSTS, &format!("provider_id={}&enabled=false", mine.provider)).await, 0);
    let changed = change(&mine.boss, POSTS, &post, &[("enabled", json!(false)), ("position", json!(7))]).await.ok();
    assert_eq!((&changed["enabled"], &changed["position"]), (&json!(false), &json!(7)));
    assert_eq!(theirs.boss.get(POSTS).await.ok()["total"], 0);
}

#[tokio::test]
async fn departments_and_users_come_and_go_as_sheets() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let import = async |client: &Client, path: &str, rows: &[&[&str]]| {
        client.send(reqwest::Method::POST, &format!("{path}/import"), Some(sheet(rows)), &[]).await
    };
    let template = mine.boss.get(&format!("{DEPARTMENTS}/import-template.xlsx")).await;
    let headings = crate::crud::sheet_text(&template.bytes).remove(0);
    assert_eq!(headings[4..6], ["上级部门", "部门名称*"]);
    // A row can be below one that comes with the same sheet.
    let rows: &[&[&str]] = &[
        &["用户类型", "上级部门", "部门名称", "显示排序", "负责人"],
        &["服务商", "", "运维部", "1", "陈晨"],
        &["服务商", "运维部", "南区", "2", ""],
    ];
    assert_eq!(import(&mine.boss, DEPARTMENTS, rows).await.ok()["imported"], 2);
    let names: Vec<_> = tree(&mine.boss, "").await.into_iter().skip(1).collect();
    assert_eq!(names[1], ("南区".to_owned(), json!("运维部")));
    // Names are looked up at the row's own node alone: others have a department of that name, and this node has none.
    let rows: &[&[&str]] = &[&["用户类型", "上级部门", "部门名称"], &["服务商", "运维部", "北区"]];
    assert_eq!(import(&theirs.boss, DEPARTMENTS, rows).await.fields(), [("2:上级部门", "choice")]);

    post(
        &mine.boss,
        "provider",
        &mine,
        &mine.boss.get(&format!("{DEPARTMENTS}?name=南区")).await.ok()["items"][0],
        "巡检员",
    )
    .await;
    role(&mine.boss, "provider", &mine, "看站", &["car.station.view"]).await;
    role(&mine.boss, "provider", &mine, "看桩", &["car.charger.view"]).await;
    role(&theirs.boss, "provider", &theirs, "看站", &["car.station.view"]).await;
    let head: &[&str] = &["用户类型", "登录账号", "用户名称", "手机号码", "归属部门", "岗位", "角色"];
    let good: &[&str] = &["服务商", "li.lei", "李蕾", "13800000001", "南区", "巡检员", "看站、看桩"];
    let bad: &[&str] = &["服务商", "wang.min", "王敏", "138", "西区", "", "看天"];
    let answer = import(&mine.boss, USERS, &[head, good, bad]).await;
    assert_eq!(answer.fields(), [("3:归属部门", "choice"), ("3:角色", "choice"), ("3:手机号码", "format")]);
    assert_eq!(mine.boss.get(&format!("{USERS}?username=li.lei")).await.ok()["total"], 0, "all or none");
    assert_eq!(import(&mine.boss, USERS, &[head, good]).await.ok()["imported"], 1);
    let user = mine.boss.get(&format!("{USERS}?username=li.lei")).await.ok()["items"][0].clone();
    assert_eq!((&user["department_name"], &user["post_name"]), (&json!("南区"), &json!("巡检员")));
    assert_eq!(user["roles"], json!(["看站", "看桩"]));
    let exported = crate::crud::sheet_text(&mine.boss.get(&format!("{USERS}/export.xlsx?username=li.lei")).await.bytes);
    let column = exported[0].iter().position(|it| it == "角色").unwrap();
    assert_eq!(exported[1][column], "看站、看桩");
    let exported = crate::crud::sheet_text(&mine.boss.get(&format!("{DEPARTMENTS}/export.xlsx")).await.bytes);
    assert_eq!(exported.len(), 1 + 4, "two roots and two departments");
}
