//! The fitted model of drift: how sure it is that somebody else's program wrote a message.

use makyo_sigma::{Diagnostic, load_yaml};

use super::profile::Distance;

static TEXT: &str = include_str!("../../../../../knowledge/mail-model.yml");

/// Histories shorter than this are thin: the model was fitted on longer ones.
pub const HISTORY_MIN: usize = 5;

/// A logistic regression, and what its scores are in genuine mail.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DriftModel {
    /// Added to the weighted inputs.
    pub bias: f64,
    /// One weight for each of [`Distance::inputs`].
    pub weights: Vec<f64>,
    /// Scores that 1 in 100, 1 in 1,000 and 1 in 10,000 genuine messages exceed.
    pub quantiles: [f64; 3],
}

impl DriftModel {
    /// The model that is built in.
    ///
    /// # Errors
    /// If its file has a mistake.
    pub fn built_in() -> Result<Self, Diagnostic> {
        Self::load(TEXT)
    }

    /// Reads a model.
    ///
    /// # Errors
    /// The first mistake.
    pub fn load(text: &str) -> Result<Self, Diagnostic> {
        let documents = load_yaml(text)?;
        let root = documents.first().ok_or_else(|| Diagnostic::at(1, "file is empty"))?;
        let numbers = |name: &str| {
            let texts = root.get_texts(name);
            let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
            numbers.ok_or_else(|| Diagnostic::at(root.line, format!("no numbers: `{name}`")))
        };
        let mut model = DriftModel { weights: numbers("weights")?, ..DriftModel::default() };
        model.bias = numbers("bias")?.first().copied().unwrap_or_default();
        let quantiles = numbers("quantiles")?;
        for (place, value) in model.quantiles.iter_mut().zip(&quantiles) {
            *place = *value;
        }
        Ok(model)
    }

    /// The log odds that the message is not its sender's.
    #[must_use]
    pub fn score(&self, distance: &Distance) -> f64 {
        let inputs = distance.inputs();
        self.bias
            + inputs.iter().zip(&self.weights).map(|(input, weight)| input * weight).sum::<f64>()
    }

    /// Fits the model: full-batch gradient descent with momentum on the class-balanced logistic
    /// loss, with a quadratic penalty. `true` marks messages that somebody else wrote.
    #[must_use]
    pub fn fit(samples: &[(Distance, bool)], penalty: f64) -> Self {
        let rows: Vec<(Vec<f64>, bool)> =
            samples.iter().map(|(distance, is_other)| (distance.inputs(), *is_other)).collect();
        let width = rows.first().map_or(0, |row| row.0.len());
        let others = rows.iter().filter(|row| row.1).count().max(1) as f64;
        let genuine = rows.iter().filter(|row| !row.1).count().max(1) as f64;
        let (mean, spread) = scales(&rows, width);
        let mut weights = vec![0.0; width + 1];
        let mut speed = vec![0.0; width + 1];
        for _ in 0..1_500 {
            let mut slope = vec![0.0; width + 1];
            for (inputs, is_other) in &rows {
                let scaled = |at: usize| (inputs[at] - mean[at]) / spread[at];
                let sum =
                    weights[width] + (0..width).map(|at| weights[at] * scaled(at)).sum::<f64>();
                let share = if *is_other { others } else { genuine };
                let error = (1.0 / (1.0 + (-sum).exp()) - f64::from(u8::from(*is_other))) / share;
                for (at, one) in slope.iter_mut().enumerate().take(width) {
                    *one += error * scaled(at);
                }
                slope[width] += error;
            }
            for at in 0..=width {
                let pull = if at < width { penalty * weights[at] } else { 0.0 };
                speed[at] = 0.9 * speed[at] - 0.3 * (slope[at] + pull);
                weights[at] += speed[at];
            }
        }
        let bias =
            weights[width] - (0..width).map(|at| weights[at] * mean[at] / spread[at]).sum::<f64>();
        let weights = (0..width).map(|at| weights[at] / spread[at]).collect();
        DriftModel { bias, weights, quantiles: [0.0; 3] }
    }
}

/// Mean and spread of each input.
fn scales(rows: &[(Vec<f64>, bool)], width: usize) -> (Vec<f64>, Vec<f64>) {
    let count = rows.len().max(1) as f64;
    let mean: Vec<f64> =
        (0..width).map(|at| rows.iter().map(|row| row.0[at]).sum::<f64>() / count).collect();
    let spread = (0..width)
        .map(|at| {
            let sum = rows.iter().map(|row| (row.0[at] - mean[at]).powi(2)).sum::<f64>();
            (sum / count).sqrt().max(0.05)
        })
        .collect();
    (mean, spread)
}
