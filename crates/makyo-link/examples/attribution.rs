//! scratch eval
#![allow(clippy::print_stdout, reason = "a program for people")]
use std::collections::{BTreeMap, BTreeSet};
use makyo_base::{parse_json, Value, Object};
use makyo_link::{attribute::*, incident::*, knowledge::*};
fn gz(path:&str)->String { makyo_link::read::text_of(&std::fs::read(path).expect(path)).expect("text") }
struct Case { id:String, date:String, features:Vec<(String,String)>, right:BTreeSet<String>, drop:BTreeSet<String>, campaign:Option<String>, before:Option<String>, expect:[f64;3] }
fn texts(o:&Object<'_>,n:&str)->Vec<String>{ match o.get(n) { Some(Value::List(l))=>l.iter().filter_map(|v|v.as_text().map(|t|t.into_owned())).collect(), _=>vec![] } }
fn t(o:&Object<'_>,n:&str)->Option<String>{ o.get(n).and_then(Value::as_str).map(str::to_owned) }
fn num(o:&Object<'_>,n:&str)->f64{ match o.get(n){Some(Value::Int(i))=>*i as f64,Some(Value::Float(f))=>*f,_=>f64::NAN} }
fn cases(root:&Object<'_>,task:&str,k:&Knowledge)->Vec<Case>{
    let Some(Value::Object(tasks))=root.get("tasks") else {panic!()};
    let Some(Value::List(l))=tasks.get(task) else {panic!()};
    l.iter().filter_map(Value::as_object).map(|o|{ let e=o.get("expect").and_then(Value::as_object).unwrap();
        Case{ id:t(o,"id").unwrap(), date:t(o,"date").unwrap_or_default(), features:texts(o,"features").iter().map(|f|feature(f,k)).collect(), right:texts(o,"true").into_iter().collect(), drop:texts(o,"drop").into_iter().collect(), campaign:t(o,"campaign"), before:t(o,"created_before"), expect:[num(e,"groups"),num(e,"feature_total"),num(e,"count_total")] } }).collect()
}
fn feature(f:&str,k:&Knowledge)->(String,String){ let (a,b)=f.split_once(':').unwrap(); if a=="T" {("technique".into(),b.into())} else {(k.software.get(b).map_or("family",|s|s.evidence_kind()).into(),b.into())} }
fn minus(date:&str,days:i64)->String{ let t=makyo_base::parse_time(&format!("{date}T00:00:00Z")).unwrap(); makyo_base::format_time(t-days*makyo_base::DAY_NS).chars().take(10).collect() }
fn profiles(k:&Knowledge,c:&Case,task:&str)->Profiles{
    let past=task.contains("past180"); let strict=task.contains("strict"); let leaky=task.contains("leaky"); let a1=task.starts_with("A1");
    let gap=task.contains("gap180"); let lo=if gap{minus(&c.date,180)}else{String::new()}; let hi=if gap{minus(&c.date,-180)}else{String::new()};
    let limit= if past {minus(&c.date,180)} else {String::new()};
    let mut survive:BTreeMap<(String,(String,String)),(Use,BTreeSet<String>)>=BTreeMap::new();
    for u in &k.uses {
        if !["technique","family","tool"].contains(&u.feature.0.as_str()) {continue;}
        if a1 && u.campaign.is_some() && u.campaign==c.campaign {continue;}
        if let Some(b)=&c.before && u.created.as_str()>=b.as_str() {continue;}
        let mut cites=u.citations.clone();
        if !leaky {
            if a1 && c.campaign.as_ref().is_some_and(|n| u.text.contains(&format!("/{n})"))) {continue;}
            let had=!cites.is_empty(); 
            if strict && cites.iter().any(|x|c.drop.contains(x)) {continue;}
            cites.retain(|x|!c.drop.contains(x));
            if gap { cites.retain(|x| k.published.get(x).is_none_or(|d| d.as_str()<lo.as_str()||d.as_str()>hi.as_str())); }
            if past { cites.retain(|x| k.published.get(x).is_some_and(|d| d.as_str()<=limit.as_str())); }
            if had && cites.is_empty() {continue;}
            if past && !had {continue;}
        }
        survive.entry((u.group.clone(),u.feature.clone())).or_insert_with(||(u.clone(),BTreeSet::new())).1.extend(cites);
    }
    let soft:Vec<(&str,&str)>=k.software_uses.iter().filter(|u|u.feature.0=="technique").filter(|u|{
        if let Some(b)=&c.before && u.created.as_str()>=b.as_str() {return false;}
        let mut cites=u.citations.clone(); let had=!cites.is_empty();
        if leaky {return true;}
        if strict && cites.iter().any(|x|c.drop.contains(x)) {return false;}
        if a1 && c.campaign.as_ref().is_some_and(|n| u.text.contains(&format!("/{n})"))) {return false;}
        cites.retain(|x|!c.drop.contains(x));
        if gap { cites.retain(|x| k.published.get(x).is_none_or(|d| d.as_str()<lo.as_str()||d.as_str()>hi.as_str())); }
        if past { cites.retain(|x| k.published.get(x).is_some_and(|d| d.as_str()<=limit.as_str())); }
        !(had && cites.is_empty()) && !(past && !had)
    }).map(|u|(u.group.as_str(),u.feature.1.as_str())).collect();
    Profiles::new(survive.values().map(|(u,c)|(u,c.len()))).with_software(soft.into_iter())
}
fn class(f:&(String,String))->Class{ if f.0=="technique" {Class::Methods} else {Class::Code} }
#[derive(Default)] struct Tally{rank:Vec<f64>,ll:Vec<f64>,brier:Vec<f64>,conf:Vec<(f64,f64)>,ok:Vec<f64>,ol:Vec<f64>,ss:Vec<f64>,ds:Vec<f64>,named:Vec<(f64,bool)>}
fn lae(x:f64)->f64{ if x>30.{x}else{(1.0+x.exp()).ln()} }
impl Tally{
    fn add(&mut self,p:&[f64],none:f64,right:&[usize],known:bool){
        let top=(0..p.len()).max_by(|a,b|p[*a].total_cmp(&p[*b]).then(b.cmp(a))).unwrap();
        let is=|g:usize|right.contains(&g);
        if known {
            let tp=right.iter().map(|g|p[*g]).fold(0.,f64::max);
            self.rank.push(1.0+(0..p.len()).filter(|g|!is(*g)&&p[*g]>tp+1e-15).count() as f64+0.5*(0..p.len()).filter(|g|!is(*g)&&(p[*g]-tp).abs()<=1e-15).count() as f64);
            let pt:f64=right.iter().map(|g|p[*g]).sum();
            self.ll.push(-pt.max(1e-12).ln()); self.brier.push((1.-pt).powi(2)+none*none+(0..p.len()).filter(|g|!is(*g)).map(|g|p[g]*p[g]).sum::<f64>());
            self.conf.push((p[top].max(none),f64::from(u8::from(p[top]>=none&&is(top))))); self.ok.push(none); self.named.push((p[top],is(top)));
            let g=p.len() as f64; let prior=(0.5/g).ln()-(1.-0.5/g).ln();
            for i in 0..p.len(){ let q=p[i].clamp(1e-12,1.-1e-12); let l=(q/(1.-q)).ln()-prior; if is(i){self.ss.push(l)}else{self.ds.push(l)} }
        } else {
            self.ll.push(-none.max(1e-12).ln()); self.brier.push((1.-none).powi(2)+p.iter().map(|x|x*x).sum::<f64>());
            self.conf.push((p[top].max(none),f64::from(u8::from(none>p[top])))); self.ol.push(none); self.named.push((p[top],false));
        }
    }
    fn print(&mut self,name:&str){
        let mean=|v:&[f64]|v.iter().sum::<f64>()/v.len() as f64;
        self.conf.sort_by(|a,b|a.0.total_cmp(&b.0)); let n=self.conf.len(); let mut ece=0.; 
        let (q,r)=(n/10,n%10); let mut at=0; for k in 0..10 { let len=q+usize::from(k<r); let b=&self.conf[at..at+len]; at+=len; if len>0 { let x=mean(&b.iter().map(|c|c.0).collect::<Vec<_>>()); let y=mean(&b.iter().map(|c|c.1).collect::<Vec<_>>()); ece+=len as f64/n as f64*(x-y).abs(); } }
        let mut auroc=0.; for o in &self.ol { for k in &self.ok { auroc+=if o>k{1.}else if o==k{0.5}else{0.}; } } auroc/=(self.ol.len()*self.ok.len()) as f64;
        let cllr=0.5*(mean(&self.ss.iter().map(|x|lae(-x)).collect::<Vec<_>>())+mean(&self.ds.iter().map(|x|lae(*x)).collect::<Vec<_>>()))/2f64.ln();
        let k=self.rank.len() as f64;
        print!("{name:22} n {} top1 {:.3} top3 {:.3} mrr {:.3} ll {:.3} brier {:.3} ece {:.3} auroc {:.3} cllr {:.3} ",k,self.rank.iter().filter(|r|**r<1.5).count() as f64/k,self.rank.iter().filter(|r|**r<=3.).count() as f64/k,mean(&self.rank.iter().map(|r|1./r).collect::<Vec<_>>()),mean(&self.ll),mean(&self.brier),ece,auroc,cllr);
        for (lo,hi) in [(0.55,0.8),(0.8,0.95),(0.95,1.01)] { let b:Vec<_>=self.named.iter().filter(|x|x.0>=lo&&x.0<hi).collect(); print!("| {lo}: {} right {} ",b.len(),b.iter().filter(|x|x.1).count()); }
        println!();
    }
}
fn place(p:&Profiles,right:&BTreeSet<String>)->Vec<usize>{ p.groups.iter().enumerate().filter(|g|right.contains(g.1)).map(|g|g.0).collect() }
fn fold(g:&str,folds:usize)->usize{ let h=makyo_base::sha256(g.as_bytes()); usize::from(h[0])%folds }
fn main(){
    let mut k=Knowledge::default();
    k.read("attack",&gz("/work/shared/data/intel/attack/enterprise-attack-18.1.json.gz"));
    println!("groups {} uses {} software {} renum {} unread {:?} versions {:?}",k.groups.len(),k.uses.len(),k.software.len(),k.renumbered.len(),k.unread.len(),k.versions);
    let text=gz("/work/shared/data/judgement/attr_tasks.json.gz");
    let Ok(Value::Object(root))=parse_json(&text) else {panic!()};
    let args:Vec<String>=std::env::args().collect();
    let get=|i:usize,d:f64|args.get(i).and_then(|a|a.parse().ok()).unwrap_or(d);
    let start=Model{lambda:get(1,0.5),alpha:get(2,50.),rho:get(3,0.1),sorts:[(Sort::Technique,[0.;3]),(Sort::Software,[0.;3])].into(),none:[0.;2]};
    let only:Option<&str>=args.get(4).map(|s|s.as_str());
    let all:Vec<(String,Vec<Case>,Vec<Profiles>)>=["A2_gap180","A2_past180","A1_lenient","A1_lenient_temporal","A1_strict"].iter().map(|t|{ let c=cases(&root,t,&k); let p:Vec<_>=c.iter().map(|x|profiles(&k,x,t)).collect();
        let mut d=[0.;3]; for (c,p) in c.iter().zip(&p){ let (f,n)=p.size(); d[0]+=(p.groups.len() as f64-c.expect[0]).abs(); d[1]+=(f as f64-c.expect[1]).abs(); d[2]+=(n-c.expect[2]).abs(); }
        println!("{t}: deviation from expect per case: {:?}  first {} {:?} vs {:?}",d.map(|x|x/c.len() as f64),p[0].groups.len(),p[0].size(),c[0].expect); (t.to_string(),c,p) }).collect();
    let feats=|c:&Case|c.features.iter().filter(|f| only!=Some("T")||f.0=="technique").map(|f|Feature{class:class(f),key:f.clone()}).collect::<Vec<_>>();
    for (name,cs,ps) in &all {
        let a2=name.starts_with("A2"); let folds=5;
        let mut tally=Tally::default(); let mut missing=0; let mut ss=vec![]; let mut ds=vec![];
        let train=&all[0];
        for f in 0..if a2 {folds} else {1} {
            let trials:Vec<Trial<'_>>=train.1.iter().zip(&train.2).filter(|(c,_)| !a2||fold(c.right.iter().next().unwrap(),folds)!=f).filter_map(|(c,p)|{let r=place(p,&c.right); (!r.is_empty()).then(||Trial{profiles:p,features:feats(c),right:r})}).collect();
            let m=fit(&start,&trials);
            if f==0 {println!("{:?} none {:?}",m.sorts,m.none);}
            for (c,p) in cs.iter().zip(ps).filter(|(c,_)| !a2||fold(c.right.iter().next().unwrap(),folds)==f) {
                let r=place(p,&c.right); let s=m.score(p,&feats(c));
                if r.is_empty(){missing+=1;} let (post,none)=s.posterior(0.5,&[]); tally.add(&post,none,&r,true); for (i,g) in s.groups.iter().enumerate(){ let l=g.total-s.none; if r.contains(&i){ss.push(l)}else{ds.push(l)} }
                let (post,none)=s.posterior(0.5,&r); tally.add(&post,none,&r,false);
            }
        }
        let mean=|v:Vec<f64>|{let n=v.len() as f64; v.into_iter().sum::<f64>()/n}; println!("missing {missing} cllr vs none {:.3}",0.5*(mean(ss.iter().map(|x:&f64|lae(-x)).collect())+mean(ds.iter().map(|x:&f64|lae(*x)).collect()))/2f64.ln()); tally.print(name);
    }
}
