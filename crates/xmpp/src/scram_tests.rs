use super::*;

fn exchange(hash: Hash, binding: Binding, nonce: &str) -> Exchange {
    Exchange::new(
        hash,
        binding,
        "user",
        &Credentials::password("pencil"),
        nonce.into(),
    )
    .unwrap()
}

const FIRST_256: &str =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

#[test]
fn the_example_of_rfc_5802_section_5_is_reproduced() {
    let mut exchange = exchange(Hash::Sha1, Binding::Unable, "fyko+d2lbbFgONRv9qkxdawL");
    assert_eq!(exchange.first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    let server = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
    let proof = exchange.prove(server, 4096, &mut None).unwrap();
    assert_eq!(
        proof,
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    );
    assert_eq!(exchange.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), Ok(()));
}

#[test]
fn the_example_of_rfc_7677_section_3_is_reproduced() {
    let mut exchange = exchange(Hash::Sha256, Binding::Unable, "rOprNGfwEbeRWgbNEkqO");
    let proof = exchange.prove(FIRST_256, 4096, &mut None).unwrap();
    assert_eq!(
        proof,
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    assert_eq!(
        exchange.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
        Ok(())
    );
}

#[test]
fn a_server_that_cannot_prove_itself_is_not_believed() {
    let mut exchange = exchange(Hash::Sha256, Binding::Unable, "rOprNGfwEbeRWgbNEkqO");
    assert!(matches!(
        exchange.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
        Err(Failure::NotGenuine(_))
    ));
    exchange.prove(FIRST_256, 4096, &mut None).unwrap();
    for forged in [
        "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        "v=",
        "",
        "v=????",
        "x=1",
    ] {
        assert!(
            matches!(exchange.verify(forged), Err(Failure::NotGenuine(_))),
            "{forged}"
        );
    }
    assert_eq!(
        exchange.verify("e=other-error"),
        Err(Failure::Refused("other-error".into()))
    );
    assert!(matches!(
        exchange.prove(FIRST_256, 4096, &mut None),
        Err(Failure::NotGenuine(_))
    ));
}

#[test]
fn a_challenge_that_weakens_the_password_is_refused() {
    let refused = |challenge: &str| {
        let mut exchange = exchange(Hash::Sha256, Binding::Unable, "abc");
        matches!(
            exchange.prove(challenge, 10_000, &mut None),
            Err(Failure::NotGenuine(_))
        )
    };
    assert!(!refused("r=abcd,s=QSXCR+Q6sek8bf92,i=4096"));
    for challenge in [
        "r=abcd,s=QSXCR+Q6sek8bf92,i=4095",
        "r=abcd,s=QSXCR+Q6sek8bf92,i=10001",
        "r=abcd,s=QSXCR+Q6sek8bf92,i=99999999999",
        "r=abcd,s=QSXCR+Q6sek8bf92,i=-1",
        "r=abc,s=QSXCR+Q6sek8bf92,i=4096",
        "r=xabcd,s=QSXCR+Q6sek8bf92,i=4096",
        "r=abcd,s=,i=4096",
        "r=abcd,s=?,i=4096",
        "r=abcd,i=4096",
        "m=1,r=abcd,s=QSXCR+Q6sek8bf92,i=4096",
        "",
    ] {
        assert!(refused(challenge), "{challenge}");
    }
}

#[test]
fn the_proof_covers_the_connection() {
    let proof = |binding| {
        let mut exchange = exchange(Hash::Sha256, binding, "rOprNGfwEbeRWgbNEkqO");
        let first = exchange.first();
        (first, exchange.prove(FIRST_256, 4096, &mut None).unwrap())
    };
    let (first, here) = proof(Binding::Exporter([1; 32]));
    let (_, there) = proof(Binding::Exporter([2; 32]));
    assert!(first.starts_with("p=tls-exporter,,n="));
    assert_ne!(here, there);
    let (first, last) = proof(Binding::NotOffered);
    assert!(first.starts_with("y,,n=") && last.starts_with("c=eSws,"));
}

#[test]
fn the_slow_part_is_done_once_for_the_same_password_salt_and_count() {
    let mut kept = None;
    exchange(Hash::Sha256, Binding::Unable, "rOprNGfwEbeRWgbNEkqO")
        .prove(FIRST_256, 4096, &mut kept)
        .unwrap();
    // A marked copy shows that it is used.
    kept.as_mut().unwrap().salted = Zeroizing::new(vec![0; 32]);
    let mut again = exchange(Hash::Sha256, Binding::Unable, "rOprNGfwEbeRWgbNEkqO");
    let marked = again.prove(FIRST_256, 4096, &mut kept).unwrap();
    assert!(!marked.ends_with("p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
    let credentials = Credentials::password("another");
    let mut other = Exchange::new(
        Hash::Sha256,
        Binding::Unable,
        "user",
        &credentials,
        "rOprNGfwEbeRWgbNEkqO".into(),
    )
    .unwrap();
    other.prove(FIRST_256, 4096, &mut kept).unwrap();
    assert_ne!(*kept.unwrap().salted, vec![0; 32]);
}

#[test]
fn names_are_escaped_and_prepared() {
    let credentials = Credentials::password("I\u{ad}X");
    let exchange = Exchange::new(Hash::Sha1, Binding::Unable, "a=b,c", &credentials, "n".into()).unwrap();
    assert_eq!(exchange.first(), "n,,n=a=3Db=2Cc,r=n");
    assert_eq!(*exchange.password, "IX");
    let forbidden = Credentials::password("\u{7}");
    assert!(matches!(
        Exchange::new(Hash::Sha1, Binding::Unable, "a", &forbidden, "n".into()),
        Err(Failure::Password)
    ));
}

#[test]
fn the_slow_part_is_done_again_for_another_salt_or_count() {
    let salts = ["W22ZaJ0SNY7soEsUEjb6gQ==", "QSXCR+Q6sek8bf92"];
    for (salt, count, reused) in [
        (salts[0], 4096, true),
        (salts[1], 4096, false),
        (salts[0], 4097, false),
        (salts[1], 4097, false),
    ] {
        let mut kept = None;
        let mut prove = |salt: &str, count: u32| {
            let challenge = format!("r=abcd,s={salt},i={count}");
            let mut exchange = exchange(Hash::Sha256, Binding::Unable, "abc");
            exchange.prove(&challenge, 10_000, &mut kept).unwrap();
            // A marked copy shows that it is used.
            kept.as_mut().is_some_and(|kept| {
                let marked = *kept.salted == vec![0; 32];
                kept.salted = Zeroizing::new(vec![0; 32]);
                marked
            })
        };
        prove(salts[0], 4096);
        assert_eq!(prove(salt, count), reused, "{salt}, {count}");
    }
}

#[test]
fn differences_do_not_make_up_for_each_other() {
    assert!(same(b"ab", b"ab"));
    assert!(!same(b"ab", b"ba"));
    assert!(!same(b"ab", b"abc"));
}
