//! A proxy in a world of its own: names from a table, every dial counted and led to a server of ours.

use crate::proxy::upstream::{self, Behaviour, Seen};
use portcullis_proxy::ask::Pending;
use portcullis_proxy::outside::{Dial, Resolve};
use portcullis_proxy::{
    Answer, Credentials, Decide, Event, Grant, Handover, Limits, Listener, NetworkPolicy, Outside,
    Proxy, Question, Reports,
};
use portcullis_rules::HostName;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;

/// What the world holds, before the proxy starts.
#[derive(Debug, Default)]
pub struct Setup {
    /// Names and their answers: the first lookup gets the first, the last one is repeated.
    pub names: BTreeMap<String, Vec<Vec<IpAddr>>>,
    /// What names that are not in the table lead to; nowhere without it.
    pub others: Option<IpAddr>,
    /// How long a lookup takes.
    pub lookup_time: Duration,
    /// Addresses of the machine's own interfaces.
    pub own: Vec<IpAddr>,
    /// What everything that is dialled turns out to be; `None` refuses.
    pub outside: Reach,
    /// What is answered to questions, and after how long; `None` never answers.
    pub answer: Option<(Option<Answer>, Duration)>,
    /// Answers to one question after the other, instead; further ones get no clear answer.
    pub answers: VecDeque<Option<Answer>>,
    /// Answers to questions about a host, instead.
    pub answers_about: BTreeMap<String, Option<Answer>>,
    /// What the command of the clients is granted besides.
    pub grants: Vec<Grant>,
    /// The token clients need.
    pub token: Option<String>,
    /// The limits.
    pub limits: Limits,
    /// Whether nothing of what happens is kept, so that memory is the proxy's own.
    pub forgets: bool,
}

/// What lies behind every address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// A server.
    Server(Behaviour),
    /// Nothing that listens.
    #[default]
    Refused,
    /// Nothing at all.
    Silence,
    /// Something that answers a dial with an error.
    Fails(io::ErrorKind),
}

/// A running proxy and what happened around it.
#[derive(Debug)]
pub struct World {
    /// The proxy.
    pub proxy: Proxy,
    /// Where it listens.
    pub address: SocketAddr,
    /// What happened.
    pub record: Arc<Record>,
    /// What the server saw.
    pub seen: Arc<Seen>,
}

/// What happened.
#[derive(Debug, Default)]
pub struct Record {
    lookups: Mutex<Vec<String>>,
    dials: Mutex<Vec<SocketAddr>>,
    questions: Mutex<Vec<Question>>,
    events: Mutex<Vec<Event>>,
    forgets: bool,
}

impl Record {
    /// Names that were looked up.
    pub fn lookups(&self) -> Vec<String> {
        copy(&self.lookups)
    }

    /// Addresses that were dialled.
    pub fn dials(&self) -> Vec<SocketAddr> {
        copy(&self.dials)
    }

    /// Questions that were put.
    pub fn questions(&self) -> Vec<Question> {
        copy(&self.questions)
    }

    /// Events that were reported.
    pub fn events(&self) -> Vec<Event> {
        copy(&self.events)
    }

    fn push<T>(&self, list: &Mutex<Vec<T>>, item: T) {
        if !self.forgets {
            list.lock().unwrap_or_else(PoisonError::into_inner).push(item);
        }
    }
}

fn copy<T: Clone>(list: &Mutex<Vec<T>>) -> Vec<T> {
    list.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl World {
    /// Starts a proxy.
    pub fn start(setup: Setup, policy: NetworkPolicy) -> io::Result<Self> {
        let (server, seen) = match &setup.outside {
            Reach::Server(behaviour) => {
                let (address, seen) = upstream::start(behaviour.clone())?;
                (Some(address), seen)
            }
            Reach::Refused | Reach::Silence | Reach::Fails(_) => (None, Arc::default()),
        };
        seen.forget(setup.forgets);
        let record = Arc::new(Record { forgets: setup.forgets, ..Record::default() });
        let decider = setup.answer.map(|(answer, after)| {
            Arc::new(FakeDecider {
                record: Arc::clone(&record),
                one_by_one: !setup.answers.is_empty(),
                answers: Mutex::new(setup.answers),
                about: setup.answers_about,
                answer,
                after,
            }) as Arc<dyn Decide>
        });
        let outside = Outside {
            resolver: Arc::new(FakeResolver {
                record: Arc::clone(&record),
                names: Mutex::new(setup.names),
                others: setup.others,
                time: setup.lookup_time,
            }),
            dialler: Arc::new(FakeDialler {
                record: Arc::clone(&record),
                server,
                silent: setup.outside == Reach::Silence,
                error: match setup.outside {
                    Reach::Fails(error) => error,
                    Reach::Server(_) | Reach::Refused | Reach::Silence => {
                        io::ErrorKind::ConnectionRefused
                    }
                },
                own: setup.own,
            }),
            decider,
            reports: Arc::clone(&record) as Arc<dyn Reports>,
        };
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
        socket.listen(4096)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        let listener = match setup.token {
            Some(token) => Listener::Guarded(listener, Credentials::new(token)),
            None => Listener::Proxy(listener),
        };
        let handover =
            Handover { command: None, grants: setup.grants, ..Handover::new("test", listener) };
        let proxy = Proxy::serve(vec![handover], policy, setup.limits, outside)?;
        Ok(Self { proxy, address, record, seen })
    }
}

struct FakeResolver {
    record: Arc<Record>,
    names: Mutex<BTreeMap<String, Vec<Vec<IpAddr>>>>,
    others: Option<IpAddr>,
    time: Duration,
}

impl Resolve for FakeResolver {
    fn resolve(&self, name: &HostName) -> Pending<io::Result<Vec<IpAddr>>> {
        self.record.push(&self.record.lookups, name.to_string());
        let found = {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.get_mut(name.as_str()).map(|answers| match answers.len() {
                0 => Vec::new(),
                1 => answers[0].clone(),
                _ => answers.remove(0),
            })
        };
        // This machine is no other.
        let others = self.others.filter(|_| !name.is_localhost());
        let found = found.or_else(|| others.map(|address| vec![address]));
        let time = self.time;
        Box::pin(async move {
            tokio::time::sleep(time).await;
            found.ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }
}

struct FakeDialler {
    record: Arc<Record>,
    server: Option<SocketAddr>,
    silent: bool,
    error: io::ErrorKind,
    own: Vec<IpAddr>,
}

impl Dial for FakeDialler {
    fn dial(&self, to: SocketAddr) -> Pending<io::Result<TcpStream>> {
        self.record.push(&self.record.dials, to);
        let (server, silent, error) = (self.server, self.silent, self.error);
        Box::pin(async move {
            if silent {
                std::future::pending::<()>().await;
            }
            match server {
                Some(server) => TcpStream::connect(server).await,
                None => Err(error.into()),
            }
        })
    }

    fn is_own(&self, address: IpAddr) -> bool {
        self.own.contains(&address)
    }
}

struct FakeDecider {
    record: Arc<Record>,
    one_by_one: bool,
    answers: Mutex<VecDeque<Option<Answer>>>,
    about: BTreeMap<String, Option<Answer>>,
    answer: Option<Answer>,
    after: Duration,
}

impl Decide for FakeDecider {
    fn decide(&self, question: Question) -> Pending<Answer> {
        let about = self.about.get(&question.destination.host.to_string()).copied();
        self.record.push(&self.record.questions, question);
        let answer = if self.one_by_one {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.pop_front().unwrap_or(Some(Answer::Unclear))
        } else {
            about.unwrap_or(self.answer)
        };
        let after = self.after;
        Box::pin(async move {
            tokio::time::sleep(after).await;
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

impl Reports for Record {
    fn report(&self, event: &Event) {
        self.push(&self.events, event.clone());
    }
}
