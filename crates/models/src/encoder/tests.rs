//! A small encoder of random weights, against the definition written out in double precision.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::*;

const WIDTH: usize = 8;
/// More than one product takes at once.
const BETWEEN: usize = 70;
const DIMENSIONS: usize = 6;
const POSITIONS: usize = 7;
const LAYERS: usize = 2;
const HEADS: usize = 2;
const QUESTION: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\ndata\n##base\nbackup\nqueue\nwhich";
const DOCUMENT: &str = "backup\n[PAD]\n[UNK]\nqueue\ndata\n##base";

/// The weights as they stand in a file.
#[derive(Clone)]
struct Weights {
    tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
    description: HashMap<String, String>,
}

impl Weights {
    fn random() -> Self {
        let description = [
            ("format", "clusterlore-encoder-1".to_owned()),
            ("layers", LAYERS.to_string()),
            ("heads", HEADS.to_string()),
            ("a", "15.1".to_owned()),
            ("c", "-5.97".to_owned()),
        ];
        let description = description.map(|(name, value)| (name.to_owned(), value)).into();
        let mut weights = Self { tensors: BTreeMap::new(), description };
        let rng = &mut Rng::with_seed(1);
        for (name, list) in [("question.vocabulary", QUESTION), ("document.vocabulary", DOCUMENT)] {
            weights.put(name, Dtype::U8, &[list.len()], list.as_bytes().to_vec());
        }
        weights.scaled_rows("question.words", QUESTION.lines().count(), WIDTH, rng);
        weights.floats("question.positions", &[POSITIONS, WIDTH], rng);
        weights.norm("question.norm", rng);
        for layer in 0..LAYERS {
            let name = |part: &str| format!("question.layer.{layer}.{part}");
            for part in ["query", "key", "value", "attention"] {
                weights.linear(&name(part), WIDTH, WIDTH, rng);
            }
            weights.linear(&name("intermediate"), WIDTH, BETWEEN, rng);
            weights.linear(&name("output"), BETWEEN, WIDTH, rng);
            weights.norm(&name("attention.norm"), rng);
            weights.norm(&name("output.norm"), rng);
        }
        weights.map("question.projection", WIDTH, DIMENSIONS, rng);
        weights.scaled_rows("document.table", DOCUMENT.lines().count(), DIMENSIONS, rng);
        weights
    }

    fn put(&mut self, name: &str, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) {
        self.tensors.insert(name.to_owned(), (dtype, shape.to_owned(), bytes));
    }

    fn floats(&mut self, name: &str, shape: &[usize], rng: &mut Rng) {
        let bytes = (0..shape.iter().product()).flat_map(|_| (rng.f32() * 2.0 - 1.0).to_le_bytes()).collect();
        self.put(name, Dtype::F32, shape, bytes);
    }

    fn whole_numbers(&mut self, name: &str, shape: [usize; 2], factors: usize, rng: &mut Rng) {
        let values = (0..shape[0] * shape[1]).map(|_| rng.i8(-127..=127).cast_unsigned()).collect();
        self.put(name, Dtype::I8, &shape, values);
        let scale = (0..factors).flat_map(|_| (0.002 + rng.f32() * 0.01).to_le_bytes()).collect();
        self.put(&format!("{name}.scale"), Dtype::F32, &[factors], scale);
    }

    fn scaled_rows(&mut self, name: &str, rows: usize, columns: usize, rng: &mut Rng) {
        self.whole_numbers(name, [rows, columns], rows, rng);
    }

    fn map(&mut self, name: &str, inputs: usize, outputs: usize, rng: &mut Rng) {
        self.whole_numbers(name, [inputs, outputs], outputs, rng);
    }

    fn linear(&mut self, name: &str, inputs: usize, outputs: usize, rng: &mut Rng) {
        self.map(name, inputs, outputs, rng);
        self.floats(&format!("{name}.bias"), &[outputs], rng);
    }

    fn norm(&mut self, name: &str, rng: &mut Rng) {
        self.floats(&format!("{name}.weight"), &[WIDTH], rng);
        self.floats(&format!("{name}.bias"), &[WIDTH], rng);
    }

    fn bytes(&self) -> Vec<u8> {
        let views = self
            .tensors
            .iter()
            .map(|(name, (dtype, shape, bytes))| (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
        safetensors::serialize(views, &Some(self.description.clone())).unwrap()
    }

    /// What is wrong with these weights.
    fn problem(&self) -> String {
        Encoder::from_bytes(&self.bytes()).unwrap_err().to_string()
    }

    /// The tensor in double precision, as rows.
    fn numbers(&self, name: &str) -> Vec<Vec<f64>> {
        let (dtype, shape, bytes) = &self.tensors[name];
        let columns = *shape.last().unwrap();
        let numbers: Vec<f64> = match dtype {
            Dtype::I8 => bytes.iter().map(|b| f64::from(b.cast_signed())).collect(),
            _ => bytes.chunks(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect(),
        };
        let mut rows: Vec<Vec<f64>> = numbers.chunks(columns).map(<[f64]>::to_vec).collect();
        if let Some((_, factors, _)) = self.tensors.get(&format!("{name}.scale")) {
            let scale = self.vector(&format!("{name}.scale"));
            let is_map = name != "question.words" && name != "document.table";
            assert_eq!(factors[0], if is_map { columns } else { rows.len() });
            for (i, row) in rows.iter_mut().enumerate() {
                row.iter_mut().enumerate().for_each(|(j, x)| *x *= scale[if is_map { j } else { i }]);
            }
        }
        rows
    }

    fn vector(&self, name: &str) -> Vec<f64> {
        self.numbers(name).remove(0)
    }

    /// What a linear map of the file makes of inputs, without its bias.
    fn times(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let weights = self.numbers(name);
        (0..weights[0].len()).map(|output| x.iter().zip(&weights).map(|(x, row)| x * row[output]).sum()).collect()
    }

    fn mapped(&self, name: &str, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let bias = self.vector(&format!("{name}.bias"));
        x.iter().map(|x| plus(&self.times(name, x), &bias)).collect()
    }

    fn normed(&self, name: &str, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (weight, bias) = (self.vector(&format!("{name}.weight")), self.vector(&format!("{name}.bias")));
        let norm = |x: &Vec<f64>| {
            let n = x.len() as f64;
            let mean = x.iter().sum::<f64>() / n;
            let deviation = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n + 1e-12).sqrt();
            (0..x.len()).map(|i| (x[i] - mean) / deviation * weight[i] + bias[i]).collect()
        };
        x.iter().map(norm).collect()
    }

    /// The definition of a question's vector, number by number.
    fn question(&self, tokens: &[usize]) -> Vec<f64> {
        let (words, positions) = (self.numbers("question.words"), self.numbers("question.positions"));
        let x: Vec<_> = tokens.iter().zip(&positions).map(|(token, place)| plus(&words[*token], place)).collect();
        let mut x = self.normed("question.norm", &x);
        for layer in 0..LAYERS {
            let name = |part: &str| format!("question.layer.{layer}.{part}");
            let [query, key, value] = ["query", "key", "value"].map(|part| self.mapped(&name(part), &x));
            let mut taken = vec![vec![0.0; WIDTH]; x.len()];
            for (token, i) in (0..x.len()).flat_map(|token| (0..WIDTH).map(move |i| (token, i))) {
                let part = WIDTH / HEADS;
                let head = i / part * part..(i / part + 1) * part;
                let score = |other: &Vec<f64>| dot(&query[token][head.clone()], &other[head.clone()]);
                let weights: Vec<f64> = key.iter().map(|key| (score(key) / (part as f64).sqrt()).exp()).collect();
                let sum: f64 = weights.iter().sum();
                taken[token][i] = weights.iter().zip(&value).map(|(weight, value)| weight / sum * value[i]).sum();
            }
            let add = |a: Vec<Vec<f64>>, b: &[Vec<f64>]| a.iter().zip(b).map(|(a, b)| plus(a, b)).collect::<Vec<_>>();
            x = self.normed(&name("attention.norm"), &add(self.mapped(&name("attention"), &taken), &x));
            let mut between = self.mapped(&name("intermediate"), &x);
            between.iter_mut().flatten().for_each(|x| *x *= below(*x));
            x = self.normed(&name("output.norm"), &add(self.mapped(&name("output"), &between), &x));
        }
        let mean: Vec<f64> = (0..WIDTH).map(|i| x.iter().map(|x| x[i]).sum::<f64>() / x.len() as f64).collect();
        of_length_one(self.times("question.projection", &mean))
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn plus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn of_length_one(x: Vec<f64>) -> Vec<f64> {
    let length = dot(&x, &x).sqrt();
    x.iter().map(|x| x / length).collect()
}

/// The share of the normal distribution that lies below x, by its series.
fn below(x: f64) -> f64 {
    let (mut term, mut sum) = (x, 0.0);
    for n in 1..200 {
        sum += term;
        term *= x * x / f64::from(2 * n + 1);
    }
    0.5 + sum * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

fn assert_near(vector: &[f32], expected: &[f64]) {
    assert_eq!(vector.len(), expected.len());
    let far = vector.iter().zip(expected).map(|(x, expected)| (f64::from(*x) - expected).abs()).fold(0.0, f64::max);
    assert!(far < 2e-6, "{far}: {vector:?}, expected {expected:?}");
}

#[test]
fn a_question_goes_through_the_transformer() {
    let weights = Weights::random();
    let bytes = weights.bytes();
    let encoder = Encoder::from_bytes(&bytes).unwrap();
    for (text, tokens) in [
        ("Which database?", &[2, 8, 4, 5, 3][..]),
        ("backup", &[2, 6, 3]),
        ("which zzz backup", &[2, 8, 1, 6, 3]),
        // No more than there are positions.
        ("data data data queue queue queue backup", &[2, 4, 4, 4, 7, 7, 3]),
    ] {
        assert_near(&encoder.question(text), &weights.question(tokens));
    }
}

#[test]
fn a_document_is_the_sum_of_its_tokens_rows() {
    let weights = Weights::random();
    let bytes = weights.bytes();
    let encoder = Encoder::from_bytes(&bytes).unwrap();
    let rows = weights.numbers("document.table");
    for (text, tokens) in [("Database", &[4, 5][..]), ("queue, queue and backup", &[3, 3, 0]), ("QueueData", &[3, 4])] {
        let sum = tokens.iter().fold(vec![0.0; DIMENSIONS], |sum, token| plus(&sum, &rows[*token]));
        assert_near(&encoder.document(text), &of_length_one(sum));
    }
    let many = encoder.document(&"queue ".repeat(512));
    assert_eq!(encoder.document(&format!("{}backup", "queue ".repeat(512))), many);
    assert_ne!(encoder.document(&format!("{}backup", "queue ".repeat(511))), many);
}

#[test]
fn a_text_without_known_words_is_a_vector_of_zeros() {
    let bytes = Weights::random().bytes();
    let encoder = Encoder::from_bytes(&bytes).unwrap();
    for text in ["", "-- // --", "zzz", "[CLS] [SEP]"] {
        assert_eq!((encoder.question(text), encoder.document(text)), (vec![0.0; DIMENSIONS], vec![0.0; DIMENSIONS]));
    }
}

#[test]
fn documents_do_without_the_transformer() {
    let bytes = Weights::random().bytes();
    let encoder = Encoder::from_bytes(&bytes).unwrap();
    encoder.document("database");
    assert!(!encoder.transformer.is_used());
    encoder.question("database");
    assert!(encoder.transformer.is_used());
}

#[test]
fn questions_of_several_threads_are_as_of_one() {
    let bytes = Weights::random().bytes();
    let (alone, shared) = (Encoder::from_bytes(&bytes).unwrap(), Encoder::from_bytes(&bytes).unwrap());
    let expected = alone.question("which backup");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(shared.question("which backup"), expected));
        }
    });
}

#[test]
fn a_cosine_is_a_probability() {
    let bytes = Weights::random().bytes();
    let encoder = Encoder::from_bytes(&bytes).unwrap();
    assert!((encoder.logit(0.5) - 1.58).abs() < 1e-5);
    assert!((encoder.probability(5.97 / 15.1) - 0.5).abs() < 1e-5);
    assert!(encoder.probability(1.0) > 0.999 && encoder.probability(-1.0) < 1e-6);
}

#[test]
fn a_file_that_is_cut_off_is_told() {
    let bytes = Weights::random().bytes();
    for length in 0..bytes.len() {
        let cut = Encoder::from_bytes(&bytes[..length]).unwrap_err();
        assert!(matches!(cut, EncoderError::Unreadable { .. }), "{length}: {cut}");
    }
    let longer = [bytes, vec![0]].concat();
    assert!(matches!(Encoder::from_bytes(&longer), Err(EncoderError::Unreadable { .. })));
}

#[test]
fn a_description_that_does_not_fit_is_told() {
    for (name, value, expected) in [
        ("format", Some("pt"), "the weights have the format \"pt\"; expected clusterlore-encoder-1"),
        ("format", None, "the weights have the format \"\"; expected clusterlore-encoder-1"),
        ("layers", Some("0"), "the weights' description says layers = \"0\"; expected a number of layers from 1 to 48"),
        ("layers", Some("3"), "the weights' tensor question.layer.2.intermediate is missing; expected I8 [8, any]"),
        ("heads", Some("3"), "the weights' description says heads = \"3\"; expected a number that divides the width"),
        ("heads", Some("0"), "the weights' description says heads = \"0\"; expected a number that divides the width"),
        ("a", Some("NaN"), "the weights' description says a = \"NaN\"; expected a finite number"),
        ("c", None, "the weights' description says c = \"\"; expected a finite number"),
    ] {
        let mut weights = Weights::random();
        weights.description.remove(name);
        weights.description.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        assert_eq!(weights.problem(), expected);
    }
}

#[test]
fn every_tensor_is_checked() {
    let good = Weights::random();
    for (name, (dtype, shape, bytes)) in &good.tensors {
        let changed = |dtype: Option<Dtype>, shape: &[usize], bytes: &[u8]| {
            let mut weights = good.clone();
            weights.tensors.remove(name);
            dtype.into_iter().for_each(|dtype| weights.put(name, dtype, shape, bytes.to_vec()));
            let problem = weights.problem();
            assert!(problem.contains(name.trim_end_matches(".scale")), "{name}: {problem}");
        };
        changed(None, &[], &[]);
        // Another type of the same size, one dimension more, none of it, and a row less.
        changed(Some(if *dtype == Dtype::F32 { Dtype::I32 } else { Dtype::F8_E4M3 }), shape, bytes);
        changed(Some(*dtype), &[shape.clone(), vec![1]].concat(), bytes);
        changed(Some(*dtype), &vec![0; shape.len()], &[]);
        let row = bytes.len() / shape[0];
        if *dtype == Dtype::F32 && name != "question.positions" {
            changed(Some(*dtype), &[vec![shape[0] - 1], shape[1..].to_vec()].concat(), &bytes[row..]);
        }
        if *dtype == Dtype::F32 {
            for odd in [f32::NAN, f32::INFINITY] {
                let mut bytes = bytes.clone();
                bytes[row - 4..row].copy_from_slice(&odd.to_le_bytes());
                changed(Some(*dtype), shape, &bytes);
            }
        }
    }
}

#[test]
fn a_vocabulary_that_does_not_fit_is_told() {
    for (name, list, expected) in [
        (
            "question.vocabulary",
            &b"\xff"[..],
            "is not text: invalid utf-8 sequence of 1 bytes from index 0; expected UTF-8",
        ),
        ("question.vocabulary", b"[CLS]\n[SEP]", "lacks a token; expected [UNK] among the tokens"),
        ("question.vocabulary", b"[UNK]\n[SEP]", "lacks a token; expected [CLS] among the tokens"),
        ("document.vocabulary", b"backup", "lacks a token; expected [UNK] among the tokens"),
    ] {
        let mut weights = Weights::random();
        weights.put(name, Dtype::U8, &[list.len()], list.to_vec());
        assert_eq!(weights.problem(), format!("the weights' tensor {name} {expected}"));
    }
    for name in ["question", "document"] {
        let mut weights = Weights::random();
        let (_, _, list) = &weights.tensors[&format!("{name}.vocabulary")];
        let longer = [list, &b"\n"[..]].concat();
        weights.put(&format!("{name}.vocabulary"), Dtype::U8, &[longer.len()], longer);
        let matrix = if name == "question" { "question.words" } else { "document.table" };
        assert!(weights.problem().contains(matrix), "{}", weights.problem());
    }
}
