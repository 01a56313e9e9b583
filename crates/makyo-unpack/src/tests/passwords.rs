//! Passwords as people write them.

use crate::{PASSWORDS_MAX, password_candidates, speaks_of_password};

#[test]
fn passwords_are_found_where_people_write_them() {
    for (text, word) in [
        (
            "先ほどお送りした添付ファイルの解凍パスワードは下記の通りです。\n\nKx7-29fa\n\nよろしくお願いいたします。",
            "Kx7-29fa",
        ),
        ("パスワード：「Ｔａｉｗａｎ２５」です。", "Taiwan25"),
        ("Password: tw2025\nIshii", "tw2025"),
        ("The password is Straits!9.", "Straits!9"),
        ("解压密码：abc123", "abc123"),
        ("解壓密碼: zz-99", "zz-99"),
        ("PW=0303", "0303"),
    ] {
        assert!(password_candidates(text).iter().any(|one| one == word), "{text}");
        assert!(speaks_of_password(text));
    }
}

#[test]
fn ordinary_mail_gives_none() {
    assert_eq!(password_candidates("Thank you. See you on Thursday."), Vec::<String>::new());
    assert!(!speaks_of_password("来週の勉強会のご案内です。"));
    let long = format!("password {}", "word ".repeat(500));
    assert!(password_candidates(&long).len() <= PASSWORDS_MAX);
}
