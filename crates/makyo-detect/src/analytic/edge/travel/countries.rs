//! Countries: where their middle lies and how large they are.
//!
//! Whole degrees, and the radius of a disc of the country's area (surface in thousand square
//! kilometres as national statistics give it); good enough to say what is too far, never where
//! somebody was.

/// A country as a disc.
#[derive(Clone, Copy, Debug)]
pub(super) struct Country {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    pub(super) radius_km: f64,
}

type Row = (&'static str, &'static [&'static str], f64, f64, f64);

/// ISO 3166 code, names in lower case, degrees north and east, thousand square kilometres.
const COUNTRIES: &[Row] = &[
    ("ae", &["united arab emirates"], 24.0, 54.0, 84.0),
    ("ar", &["argentina"], -34.0, -64.0, 2780.0),
    ("at", &["austria"], 47.0, 14.0, 84.0),
    ("au", &["australia"], -25.0, 134.0, 7690.0),
    ("bd", &["bangladesh"], 24.0, 90.0, 148.0),
    ("be", &["belgium"], 51.0, 4.0, 31.0),
    ("bg", &["bulgaria"], 43.0, 25.0, 111.0),
    ("br", &["brazil"], -10.0, -53.0, 8516.0),
    ("by", &["belarus"], 53.0, 28.0, 208.0),
    ("ca", &["canada"], 60.0, -96.0, 9985.0),
    ("ch", &["switzerland"], 47.0, 8.0, 41.0),
    ("cl", &["chile"], -31.0, -71.0, 756.0),
    ("cn", &["china"], 36.0, 104.0, 9597.0),
    ("co", &["colombia"], 4.0, -73.0, 1142.0),
    ("cz", &["czechia", "czech republic"], 50.0, 15.0, 79.0),
    ("de", &["germany"], 51.0, 10.0, 357.0),
    ("dk", &["denmark"], 56.0, 10.0, 43.0),
    ("ee", &["estonia"], 59.0, 26.0, 45.0),
    ("eg", &["egypt"], 27.0, 30.0, 1002.0),
    ("es", &["spain"], 40.0, -4.0, 506.0),
    ("fi", &["finland"], 64.0, 26.0, 338.0),
    ("fr", &["france"], 46.0, 2.0, 552.0),
    ("gb", &["united kingdom", "great britain"], 54.0, -2.0, 244.0),
    ("gr", &["greece"], 39.0, 22.0, 132.0),
    ("hk", &["hong kong"], 22.0, 114.0, 1.0),
    ("hr", &["croatia"], 45.0, 16.0, 57.0),
    ("hu", &["hungary"], 47.0, 19.0, 93.0),
    ("id", &["indonesia"], -2.0, 118.0, 1905.0),
    ("ie", &["ireland"], 53.0, -8.0, 70.0),
    ("il", &["israel"], 31.0, 35.0, 22.0),
    ("in", &["india"], 22.0, 79.0, 3287.0),
    ("ir", &["iran", "iran islamic republic of"], 32.0, 54.0, 1648.0),
    ("is", &["iceland"], 65.0, -18.0, 103.0),
    ("it", &["italy"], 43.0, 12.0, 301.0),
    ("jp", &["japan"], 36.0, 138.0, 378.0),
    ("ke", &["kenya"], 0.0, 38.0, 580.0),
    ("kh", &["cambodia"], 12.0, 105.0, 181.0),
    ("kp", &["north korea", "korea democratic people's republic of"], 40.0, 127.0, 121.0),
    ("kr", &["south korea", "korea republic of", "republic of korea"], 36.0, 128.0, 100.0),
    ("kz", &["kazakhstan"], 48.0, 67.0, 2725.0),
    ("la", &["laos"], 18.0, 104.0, 237.0),
    ("lk", &["sri lanka"], 8.0, 81.0, 66.0),
    ("lt", &["lithuania"], 55.0, 24.0, 65.0),
    ("lu", &["luxembourg"], 50.0, 6.0, 3.0),
    ("lv", &["latvia"], 57.0, 25.0, 65.0),
    ("ma", &["morocco"], 32.0, -6.0, 447.0),
    ("md", &["moldova", "moldova republic of"], 47.0, 28.0, 34.0),
    ("mm", &["myanmar"], 21.0, 96.0, 677.0),
    ("mn", &["mongolia"], 47.0, 104.0, 1564.0),
    ("mo", &["macao", "macau"], 22.0, 114.0, 1.0),
    ("mx", &["mexico"], 24.0, -102.0, 1964.0),
    ("my", &["malaysia"], 4.0, 109.0, 330.0),
    ("ng", &["nigeria"], 10.0, 8.0, 924.0),
    ("nl", &["netherlands"], 52.0, 5.0, 42.0),
    ("no", &["norway"], 65.0, 13.0, 385.0),
    ("np", &["nepal"], 28.0, 84.0, 147.0),
    ("nz", &["new zealand"], -42.0, 172.0, 268.0),
    ("pe", &["peru"], -9.0, -75.0, 1285.0),
    ("ph", &["philippines"], 12.0, 122.0, 300.0),
    ("pk", &["pakistan"], 30.0, 70.0, 882.0),
    ("pl", &["poland"], 52.0, 19.0, 313.0),
    ("pt", &["portugal"], 40.0, -8.0, 92.0),
    ("ro", &["romania"], 46.0, 25.0, 238.0),
    ("rs", &["serbia"], 44.0, 21.0, 88.0),
    ("ru", &["russia", "russian federation"], 62.0, 97.0, 17098.0),
    ("sa", &["saudi arabia"], 24.0, 45.0, 2150.0),
    ("se", &["sweden"], 62.0, 16.0, 450.0),
    ("sg", &["singapore"], 1.0, 104.0, 1.0),
    ("si", &["slovenia"], 46.0, 15.0, 20.0),
    ("sk", &["slovakia"], 49.0, 20.0, 49.0),
    ("th", &["thailand"], 15.0, 101.0, 513.0),
    ("tr", &["turkey", "turkiye"], 39.0, 35.0, 784.0),
    ("tw", &["taiwan"], 24.0, 121.0, 36.0),
    ("ua", &["ukraine"], 49.0, 32.0, 604.0),
    ("us", &["united states", "usa", "united states of america"], 40.0, -98.0, 9834.0),
    ("uz", &["uzbekistan"], 42.0, 63.0, 449.0),
    ("vn", &["vietnam", "viet nam"], 16.0, 108.0, 331.0),
    ("za", &["south africa"], -29.0, 25.0, 1221.0),
];

/// The country of this code or name.
pub(super) fn country(text: &str) -> Option<Country> {
    let folded = text.trim().to_lowercase().replace(',', "");
    let row = COUNTRIES.iter().find(|row| row.0 == folded || row.1.contains(&folded.as_str()))?;
    let radius_km = (row.4 * 1000.0 / std::f64::consts::PI).sqrt();
    Some(Country { latitude: row.2, longitude: row.3, radius_km })
}
