mod analytics;
mod rules;
