//! What must hold of the glossaries, and what they make of questions.

use std::collections::BTreeSet;

use clusterlore_catalogue::{Glossary, Known};
use proptest::prelude::*;

const FILES: [(&str, &str); 5] = [
    ("German", include_str!("../data/glossary/de.tsv")),
    ("French", include_str!("../data/glossary/fr.tsv")),
    ("Spanish", include_str!("../data/glossary/es.tsv")),
    ("Portuguese", include_str!("../data/glossary/pt.tsv")),
    ("Chinese", include_str!("../data/glossary/zh.tsv")),
];

fn gloss(language: &str, text: &str) -> String {
    let english = ["sms", "kafka", "app", "release", "tag"];
    let names = ["fahrplan", "redis"];
    let known = |word: &str| match word.to_lowercase() {
        word if english.contains(&word.as_str()) => Known::English,
        word if names.contains(&word.as_str()) => Known::Name,
        _ => Known::No,
    };
    Glossary::of(language).and_then(|g| g.gloss(text, known)).unwrap_or_default()
}

#[test]
fn files_are_sorted_lists_of_words_with_english_ones() {
    let mut bytes = 0;
    for (language, file) in FILES {
        bytes += file.len();
        let mut before = "";
        let mut count = 0;
        for line in file.lines() {
            let (word, english) = line.split_once('\t').unwrap_or_default();
            assert!(word > before, "{language}: {word:?} after {before:?}: not sorted, or twice");
            assert!(!word.is_empty() && word == word.trim() && word.to_lowercase() == *word, "{language}: {line:?}");
            assert!(word.split(' ').all(|w| !w.is_empty()), "{language}: {line:?}");
            let all: Vec<&str> = english.split(' ').collect();
            assert!((1..=3).contains(&all.len()), "{language}: {line:?}");
            let letter = |b: u8| b.is_ascii_lowercase() || b == b'-';
            assert!(all.iter().all(|w| !w.is_empty() && w.bytes().all(letter)), "{language}: {line:?}");
            before = word;
            count += 1;
        }
        assert!(count >= 1_200, "{language}: {count}");
    }
    assert!(bytes <= 260_000, "{bytes}");
}

#[test]
fn every_listed_word_is_found_as_it_is_listed() {
    for (language, file) in FILES {
        for line in file.lines() {
            let (word, english) = line.split_once('\t').unwrap_or_default();
            // Of two spellings that differ in an accent alone the first counts.
            if word.is_ascii() && !word.contains([' ', '-', '\'']) && language != "Chinese" {
                let made = gloss(language, &format!("{word} fffff"));
                let hollow = Glossary::of(language).is_some_and(|g| g.is_stop_word(word));
                assert!(
                    hollow || made.split(' ').any(|w| w != word && w != "fffff") || english.contains(word),
                    "{line:?}: {made:?}"
                );
            }
        }
    }
}

#[test]
fn words_are_read_in_any_form() {
    let mut wrong = Vec::new();
    for (language, text, expected) in [
        ("German", "Anwendung verschickt SMS Kunden", "application send sms text message customer"),
        ("German", "Kundenrechnungen", "customer invoice"),
        ("German", "Rechnungsversand", "invoice shipment"),
        ("German", "gespeicherte Daten", "store data"),
        ("German", "Daten werden hochgeladen", "data be upload"),
        ("German", "Ueberwachung der Maerkte", "monitoring the market"),
        ("German", "Kafka-Themen", "Kafka topic"),
        ("German", "Grafanaübersicht", "grafana dashboard"),
        ("German", "App fürs Release", "application for Release"),
        ("French", "envoyées", "send"),
        ("French", "base de données des factures", "database of invoice"),
        ("French", "l'hôpital, l’école", "the hospital school"),
        ("French", "mots passe", "password"),
        ("French", "journaux", "logs"),
        ("Spanish", "guardan los pedidos", "store the order"),
        ("Spanish", "copias de seguridad de las contraseñas", "backup of the password"),
        ("Spanish", "camiones", "truck"),
        ("Portuguese", "cartões de crédito", "payment method card"),
        ("Portuguese", "enviando mensagens", "send message"),
        ("Portuguese", "banco dados", "database"),
        ("Chinese", "哪个应用给客户发送短信", "which application to customer send sms text message"),
        ("Chinese", "kafka 主题", "kafka topic"),
        ("Japanese", "アプリ", ""),
    ] {
        let made = gloss(language, text);
        if made != expected {
            wrong.push(format!("{language} {text:?}: {made:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_and_english_words_stay() {
    assert_eq!(gloss("German", "Fahrplan"), "timetable Fahrplan");
    assert_eq!(gloss("German", "fahrplan-api für redis"), "timetable fahrplan api for redis");
    assert_eq!(gloss("French", "stocke dans redis"), "store in redis");
    assert_eq!(gloss("German", "Xylqwz Rechnung"), "Xylqwz invoice");
    assert_eq!(gloss("German", "Xylqwz"), "", "nothing is understood");
    assert_eq!(gloss("German", "bitte können wir"), "", "stop words say nothing");
}

#[test]
fn a_word_is_listed_if_english_has_another_for_it() {
    for (language, word, listed) in [
        ("German", "rechnung", true),
        ("German", "system", false),
        ("German", "rechnungx", false),
        ("German", "", false),
        ("German", "zähler", true),
        ("French", "à", true),
        ("Spanish", "ñ", false),
        ("Klingon", "rechnung", false),
    ] {
        assert_eq!(Glossary::lists(language, word), listed, "{language} {word}");
    }
    for (language, file) in FILES {
        let ends = file.lines().next().into_iter().chain(file.lines().last());
        for (word, english) in ends.filter_map(|line| line.split_once('\t')) {
            assert!(Glossary::lists(language, word) || word.starts_with(english), "{language} {word}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,60}", words in prop::collection::vec("[a-zäöüßéñç资料发数]{1,60}", 0..6)) {
        let text = format!("{text} {}", words.join(" "));
        for (language, _) in FILES {
            let Some(glossary) = Glossary::of(language) else { continue };
            let all = |known: Known| glossary.gloss(&text, |_| known).unwrap_or_default();
            let typed = text.to_lowercase();
            for made in [all(Known::No), all(Known::English), all(Known::Name)] {
                let seen: Vec<String> = made.split_whitespace().map(str::to_lowercase).collect();
                let once: BTreeSet<&String> = seen.iter().collect();
                prop_assert_eq!(once.len(), seen.len(), "{:?}", made);
                // Of a compound the unknown first part stays, without accents.
                let whence = |w: &String| typed.contains(w.as_str()) || w.is_ascii();
                prop_assert!(seen.iter().all(whence), "{:?}", made);
            }
            let _ = (Glossary::lists(language, &text), glossary.is_stop_word(&text));
        }
    }
}
