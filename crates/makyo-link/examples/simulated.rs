//! linksim
#![allow(clippy::print_stdout, reason = "a program for people")]
use std::collections::BTreeMap;
use makyo_base::{parse_json, Value, Object};
use makyo_link::{cluster::cluster, corpus::Corpus, incident::*, weights::Weights};

fn read(path: &str) -> String { std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}")) }

fn incidents(path: &str) -> Vec<Incident> {
    let text = read(path);
    let Ok(Value::Object(root)) = parse_json(&text) else { panic!() };
    let Some(Value::List(list)) = root.get("incidents") else { panic!() };
    let mut out = vec![];
    for one in list {
        let Value::Object(o) = one else { panic!() };
        let mut inc = Incident { id: o.get("id").and_then(Value::as_str).unwrap_or_default().into(), ..Incident::default() };
        let s = Source::own("s");
        let mut push = |kind: &str, v: String| inc.items.push(Item { kind: kind.into(), value: v, root: String::new(), source: s.clone() });
        for (from, kind) in [("infra","endpoint"),("hash","sample"),("cfg","configuration"),("fam","family"),("habit","habit"),("tech","technique"),("lure","lure"),("sector","sector"),("country","country")] {
            match o.get(from) {
                Some(Value::List(l)) => for v in l { let v=v.as_text().unwrap_or_default().into_owned();
                    push(kind, v) },
                Some(Value::Null)|None => {}
                Some(v) => push(kind, v.as_text().unwrap_or_default().into_owned()),
            }
        }
        inc.working_hour = match o.get("tz") { Some(Value::Float(f)) => Some(*f), Some(Value::Int(i)) => Some(*i as f64), _ => None };
        out.push(inc.normal());
    }
    out.sort_by(|a,b| a.id.cmp(&b.id));
    out
}
fn truth(path: &str) -> BTreeMap<String,(String,Option<String>)> {
    let text = read(path);
    let Ok(Value::Object(root)) = parse_json(&text) else { panic!() };
    let t=|o:&Object<'_>,n:&str| o.get(n).filter(|v| !matches!(v,Value::Null)).and_then(|v| v.as_text().map(|t|t.into_owned()));
    root.0.iter().map(|(k,v)| { let Value::Object(o)=v else {panic!()}; (k.to_string(), (t(o,"group").unwrap_or_default(), t(o,"false_flag")))}).collect()
}
fn c2(n: usize)->f64 { (n*n.saturating_sub(1)/2) as f64 }
fn score(truth:&BTreeMap<String,(String,Option<String>)>, ids:&[String], set:&[usize]) -> [f64;6] {
    let n=ids.len() as f64;
    let mut ct=BTreeMap::new(); let mut cp=BTreeMap::new(); let mut cc=BTreeMap::new();
    for (id,s) in ids.iter().zip(set) { let g=&truth[id].0; *ct.entry(g.clone()).or_insert(0usize)+=1; *cp.entry(*s).or_insert(0usize)+=1; *cc.entry((g.clone(),*s)).or_insert(0usize)+=1; }
    let tp:f64=cc.values().map(|v|c2(*v)).sum(); let pp:f64=cp.values().map(|v|c2(*v)).sum(); let tt:f64=ct.values().map(|v|c2(*v)).sum();
    let bp:f64=cc.iter().map(|((_,p),v)| (v*v) as f64/cp[p] as f64).sum::<f64>()/n;
    let br:f64=cc.iter().map(|((t,_),v)| (v*v) as f64/ct[t] as f64).sum::<f64>()/n;
    let mut maj=BTreeMap::new();
    for ((t,p),v) in &cc { let e=maj.entry(*p).or_insert((0usize,String::new())); if (*v,t.clone())>*e { *e=(*v,t.clone()); } }
    let (mut ff,mut fooled)=(0.,0.);
    for (id,s) in ids.iter().zip(set) { if let Some(f)=&truth[id].1 { ff+=1.; if &maj[s].1==f && f!=&truth[id].0 && cp[s]>1 { fooled+=1.; } } }
    [2.*bp*br/(bp+br), if pp>0.{tp/pp}else{1.}, tp/tt, bp, br, if ff>0.{fooled/ff}else{f64::NAN}]
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let w = Weights::load(&read(&args[1])).expect("weights");
    let seed = &args[2];
    for s in ["S1_base","S2_hubs","S3_ff","S4_sparse","S5_orb","S6_hard"] {
        let base=format!("/work/shared/data/judgement/linksim/{s}.{seed}");
        let inc = incidents(&format!("{base}.incidents.json"));
        let t = truth(&format!("{base}.truth.json"));
        let start=std::time::Instant::now();
        let corpus=Corpus::new(&inc,&w);
        let p=cluster(&corpus,&w,2);
        let ids:Vec<String>=inc.iter().map(|i|i.id.clone()).collect();
        let r=score(&t,&ids,&p.set_of);
        println!("{s:10} n {} b3F {:.3} pairP {:.3} pairR {:.3} b3P {:.3} b3R {:.3} ff {:.3}  {:.2}s", ids.len(), r[0],r[1],r[2],r[3],r[4],r[5], start.elapsed().as_secs_f64());
    }
}
