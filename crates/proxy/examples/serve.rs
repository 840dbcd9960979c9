use portcullis_proxy::*;
use std::sync::Arc;
struct Nothing;
impl Reports for Nothing { fn report(&self, _: &Event) {} }
fn main() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    let mut policy = NetworkPolicy::default();
    policy.allow("127.0.0.1", true);
    let limits = Limits { connections: 4096, ..Limits::default() };
    let proxy = Proxy::serve(vec![Handover::new("x", Listener::Proxy(listener))], policy, limits, Outside::system(Arc::new(Nothing))).unwrap();
    loop { std::thread::park(); if proxy.has_ended() { return } }
}
