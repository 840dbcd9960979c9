//! Rules about files to the view a command has of them.
//!
//! Everything is made read-only; what may be written is put back from a copy taken before; what may not
//! be read is covered. Covers, the devices and the temporary directory are parts of one memory filesystem:
//! nothing is made on the host, not even a mount point.

use crate::changes::Layer;
use crate::disk::{Disk, Found, look};
use crate::sys::{Onto, Step};
use crate::{Failure, Writes, by_name};
use portcullis_model::AbsPath;
use portcullis_profile::{Access, CompiledFiles, Effect, Kind, Origin, Reach};
use std::collections::BTreeMap;
use std::ffi::CString;

/// The view a command has of the files.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// The steps to it.
    pub(crate) steps: Vec<Step>,
    /// What is done to a fresh `/proc`.
    pub(crate) proc: Vec<Step>,
    /// How many slots the steps use.
    pub(crate) slots: usize,
    /// What may be written, by its real path, and whether it is a directory.
    pub(crate) writable: Vec<(AbsPath, bool)>,
    /// The same for people.
    pub(crate) explanation: Vec<Explained>,
    /// What is laid over the places that may be written, where what is written is thrown away.
    pub(crate) layers: Vec<Layer>,
}

/// One path of a view, to be put in words where somebody asks.
#[derive(Debug)]
pub(crate) struct Explained {
    path: AbsPath,
    what: What,
    why: Why,
}

/// What is done at a path.
#[derive(Clone, Copy, Debug)]
enum What {
    Held(Hold),
    Pinned,
    Uncovered,
    Missing,
}

/// Why something is done at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Because of what the rules say of an access to a path, where something of a kind stands.
    Judged(AbsPath, Access, Kind),
    /// Because of this rule.
    Rule(Box<Origin>),
    /// Because of this path, which has to stay in place.
    Inner(AbsPath),
}

impl Explained {
    /// A line for people.
    pub(crate) fn text(&self, files: &CompiledFiles) -> String {
        let path = &self.path;
        let word = match self.what {
            What::Missing => return format!("{path}: may be written, and does not exist yet"),
            What::Pinned => "fixed",
            What::Held(Hold::Hidden) => "hidden",
            What::Held(Hold::ReadOnly) => "read-only",
            What::Uncovered => "hidden by name",
            What::Held(Hold::ByName) => "writable by name only",
            What::Held(Hold::Writable) => "writable",
        };
        let why = match &self.why {
            // Not by the automaton: it gives no reason for what is possible.
            Why::Judged(path, access, kind) => {
                let judgement = files.files().judge_as(path, *access, *kind);
                judgement.rule.map_or_else(String::new, |rule| rule.origin.to_string())
            }
            Why::Rule(origin) => origin.to_string(),
            Why::Inner(path) => format!("so that `{path}` stays in place"),
        };
        format!("{path}: {word} ({why})")
    }
}

/// What a view needs to know beside the rules.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// The terminal that stands at 0, 1 or 2.
    pub(crate) terminal: Option<AbsPath>,
    /// Files of `/etc` that say how names are resolved, where that is done by us.
    pub(crate) names: Vec<(&'static str, Vec<u8>)>,
    /// What becomes of what is written.
    pub(crate) writes: Writes,
}

/// What is possible at a path, strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hold {
    Hidden,
    ReadOnly,
    /// Some names in it may be written, the supervisor knows which.
    ByName,
    Writable,
}

/// A path where another thing is possible than around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) hold: Hold,
    pub(crate) kind: Kind,
    why: Why,
    /// Whether it is there only to stay in place.
    pin: bool,
}

impl Point {
    pub(crate) fn new(hold: Hold, kind: Kind, why: Why) -> Self {
        Self { hold, kind, why, pin: false }
    }
}

/// Where something changes.
pub(crate) type Points = BTreeMap<AbsPath, Point>;

/// Plans the view.
pub(crate) fn plan(files: &CompiledFiles, around: &Surroundings) -> Result<View, Failure> {
    let mut devices: Vec<AbsPath> = Vec::new();
    let mut view = View::default();
    let mut points = points(files, &mut devices, &mut view)?;
    by_name::open_places(files, &mut points)?;
    let uncovered = by_name::uncover(files, &mut points)?;
    let told = uncovered.into_iter();
    let told = told.map(|(path, point)| Explained { path, what: What::Uncovered, why: point.why });
    view.explanation.extend(told);
    pin(&mut points);
    let mut maker = Maker { view };
    maker.make(&Layers::new(points), files.files().disabled.is_some(), &devices, around)?;
    Ok(maker.view)
}

/// The paths where something changes, by their real names.
fn points(
    files: &CompiledFiles,
    devices: &mut Vec<AbsPath>,
    view: &mut View,
) -> Result<Points, Failure> {
    let mut points = Points::new();
    let mut disk = Disk::default();
    let mut elsewhere: Vec<(AbsPath, Point)> = Vec::new();
    for exact in files.exact() {
        let (hold, access) = match (exact.read, exact.write) {
            (Effect::Deny, _) => (Hold::Hidden, Access::Read),
            (Effect::Allow, Effect::Deny) => (Hold::ReadOnly, Access::Write),
            (Effect::Allow, Effect::Allow) => (Hold::Writable, Access::Write),
        };
        let path = exact.path;
        if is_synthetic(&path) {
            let in_dev = path.parent().is_some_and(|dir| dir.as_str() == "/dev");
            let device = hold == Hold::Writable && in_dev;
            if device && matches!(disk.look(&path)?, Found::Here(Kind::Other)) {
                devices.push(path);
            }
            continue;
        }
        match disk.look(&path)? {
            Found::Here(kind) => {
                let why = Why::Judged(path.clone(), access, Kind::Directory);
                points.insert(path, Point::new(hold, kind, why));
            }
            // Names that do not exist yet are for the supervisor.
            Found::Nothing if hold == Hold::Writable => {
                let why = Why::Judged(path.clone(), access, Kind::Directory);
                view.explanation.push(Explained { path, what: What::Missing, why });
            }
            Found::Nothing => {}
            // SECURITY: a deny holds where its name leads; an allow only where the profile says so too,
            // for a symlink is easily planted.
            Found::Elsewhere(real, kind) if hold != Hold::Writable && !is_synthetic(&real) => {
                let why = Why::Judged(path, access, Kind::Directory);
                elsewhere.push((real, Point::new(hold, kind, why)));
            }
            Found::Elsewhere(..) => {}
        }
    }
    for (path, rule) in files.nearest() {
        if rule.effect != Effect::Deny || hold_at(&points, &path) == Hold::Hidden {
            continue;
        }
        let Found::Here(kind) = disk.look(&path)? else { continue };
        if matches!(rule.reach, Reach::Leaf(_)) && kind == Kind::Directory {
            continue;
        }
        let states = files.states(&path);
        let (hold, access) = if states.effect(Access::Read, kind) == Effect::Deny {
            (Hold::Hidden, Access::Read)
        } else if states.effect(Access::Write, kind) == Effect::Deny {
            (Hold::ReadOnly, Access::Write)
        } else {
            continue;
        };
        let why = Why::Judged(path.clone(), access, kind);
        elsewhere.push((path, Point::new(hold, kind, why)));
    }
    for (path, point) in elsewhere {
        if point.hold < hold_at(&points, &path) {
            points.insert(path, point);
        }
    }
    drop_hidden_in_hidden(&mut points);
    Ok(points)
}

/// What lies in something hidden is hidden with it, and below the cover there is nothing to put another on.
fn drop_hidden_in_hidden(points: &mut Points) {
    let is_hidden = |point: &Point| point.hold == Hold::Hidden;
    let around = |path: &AbsPath| above(path.as_str()).and_then(|dir| nearest(points, dir));
    let inner: Vec<AbsPath> = points
        .iter()
        .filter(|(path, point)| {
            is_hidden(point) && around(path).is_some_and(|(_, outer)| is_hidden(outer))
        })
        .map(|(path, _)| path.clone())
        .collect();
    for path in inner {
        points.remove(&path);
    }
}

/// Whether a path lies in what is made anew for every run.
pub(crate) fn is_synthetic(path: &AbsPath) -> bool {
    path.components().next().is_some_and(|name| name == "dev" || name == "proc")
}

/// What is possible at a path by the points around it.
pub(crate) fn hold_at(points: &Points, path: &AbsPath) -> Hold {
    nearest(points, path.as_str()).map_or(Hold::ReadOnly, |(_, point)| point.hold)
}

/// The innermost point that a path is or lies below.
fn nearest<'p>(points: &'p Points, path: &str) -> Option<(&'p AbsPath, &'p Point)> {
    let mut at = Some(path);
    while let Some(path) = at {
        if let Some(found) = points.get_key_value(path) {
            return Some(found);
        }
        at = above(path);
    }
    None
}

/// The directory that holds a path.
fn above(path: &str) -> Option<&str> {
    match path.rsplit_once('/')? {
        (_, "") => None,
        ("", _) => Some("/"),
        (directory, _) => Some(directory),
    }
}

/// Makes a mount point of every directory between a writable one and what is protected in it: mount
/// points cannot be renamed, exchanged or removed, so the protected name stays where it is.
fn pin(points: &mut Points) {
    let mut pins = Points::new();
    for (path, _) in points.iter().filter(|(_, point)| point.hold != Hold::Writable) {
        let mut next = path.parent();
        while let Some(dir) = next {
            let hold = match nearest(points, dir.as_str()) {
                Some((outer, point)) if point.hold >= Hold::ByName && *outer != dir => point.hold,
                _ => break,
            };
            next = dir.parent();
            let why = Why::Inner(path.clone());
            let point = Point { hold, kind: Kind::Directory, why, pin: true };
            if pins.insert(dir, point).is_some() {
                break;
            }
        }
    }
    points.append(&mut pins);
}

/// Points with those around them, an outer one before an inner one.
struct Layers {
    points: Vec<(AbsPath, Point)>,
    /// For every point that covers a directory: the points below it that are readable again.
    reopened: Vec<Vec<usize>>,
    /// For every point, whether it is one of those.
    below_cover: Vec<bool>,
}

impl Layers {
    fn new(points: Points) -> Self {
        let outer: BTreeMap<AbsPath, AbsPath> = points
            .keys()
            .filter_map(|path| {
                let (outer, _) = nearest(&points, above(path.as_str())?)?;
                Some((path.clone(), outer.clone()))
            })
            .collect();
        let mut points: Vec<(AbsPath, Point)> = points.into_iter().collect();
        points.sort_by_cached_key(|(path, _)| path.components().count());
        let at: BTreeMap<&AbsPath, usize> =
            points.iter().enumerate().map(|(index, (path, _))| (path, index)).collect();
        let mut reopened = vec![Vec::new(); points.len()];
        let mut below_cover = vec![false; points.len()];
        for (index, (path, point)) in points.iter().enumerate() {
            let Some(around) = outer.get(path).and_then(|outer| at.get(outer)) else { continue };
            let covered = points.get(*around).is_some_and(|(_, outer)| outer.hold == Hold::Hidden);
            if covered
                && point.hold != Hold::Hidden
                && let Some(list) = reopened.get_mut(*around)
                && let Some(below) = below_cover.get_mut(index)
            {
                list.push(index);
                *below = true;
            }
        }
        Self { points, reopened, below_cover }
    }

    /// What has to stand where a point is put: below a cover that is a placeholder of ours, elsewhere what
    /// was taken from there.
    fn onto(&self, index: usize, point: &Point) -> Onto {
        let placeholder = self.below_cover.get(index) == Some(&true);
        if point.hold == Hold::Hidden || placeholder { Onto::SameKind } else { Onto::Itself }
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &AbsPath, &Point)> {
        self.points.iter().enumerate().map(|(index, (path, point))| (index, path, point))
    }

    fn reopened(&self, index: usize) -> impl Iterator<Item = &(AbsPath, Point)> {
        let list = self.reopened.get(index).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|index| self.points.get(*index))
    }

    fn cover_name(&self, index: usize, point: &Point) -> String {
        if self.reopened(index).next().is_some() {
            format!("way-{index}")
        } else if point.kind == Kind::Directory {
            HIDDEN_DIRECTORY.to_owned()
        } else {
            HIDDEN_FILE.to_owned()
        }
    }
}

/// Turns points into steps.
struct Maker {
    view: View,
}

/// Directories that are kept open as they were before anything was mounted in them, an outer one before an
/// inner one, with their slots.
#[derive(Default)]
struct Kept<'p>(Vec<(&'p AbsPath, usize)>);

impl Kept<'_> {
    /// The innermost of them that holds a path, and how the path goes on from there.
    fn way_to(&self, path: &AbsPath) -> Option<(usize, CString)> {
        let ways = self.0.iter().rev();
        let mut ways = ways.filter_map(|(directory, slot)| Some((*slot, path.below(directory)?)));
        ways.next().map(|(slot, below)| (slot, c_text(below)))
    }
}

/// The slots every view has.
pub(crate) const BASE: usize = 0;
const DEV: usize = 1;
const SHM: usize = 2;

impl Maker {
    fn make(
        &mut self,
        layers: &Layers,
        disabled: bool,
        devices: &[AbsPath],
        around: &Surroundings,
    ) -> Result<(), Failure> {
        self.view.slots = 3;
        self.step(Step::Private);
        let mut taken = Vec::with_capacity(layers.points.len());
        let mut kept = Kept::default();
        for (index, path, point) in layers.iter() {
            let onto = layers.onto(index, point);
            // A name that stays what it is may be taken and put in one step, when its turn comes.
            if point.hold == Hold::ReadOnly
                && onto == Onto::Itself
                && around.writes == Writes::Kept
                && path.as_str() != "/"
            {
                taken.push((index, path, point, None, onto));
                continue;
            }
            if point.hold >= Hold::ByName && !point.pin && point.kind == Kind::Directory {
                let slot = self.slot();
                self.step(Step::Keep { path: c_path(path)?, slot });
                kept.0.push((path, slot));
            }
            let slot = self.slot();
            let laid = around.writes == Writes::Listed && point.hold >= Hold::ByName;
            if point.hold != Hold::Hidden && !laid {
                self.step(Step::Take { path: c_path(path)?, slot });
            }
            taken.push((index, path, point, Some(slot), onto));
        }
        let everything = layers
            .iter()
            .any(|(_, path, point)| path.as_str() == "/" && point.hold == Hold::Writable);
        if !disabled && !everything {
            self.step(Step::ReadOnlyEverything);
        }
        let devices = self.take_devices(devices, around)?;
        self.step(Step::Memory { path: c"/dev".to_owned(), slot: BASE });
        self.fill_base(&devices);
        self.covers(layers)?;
        if around.writes == Writes::Listed {
            for (index, path, point, slot, _) in &taken {
                if let Some(slot) = slot {
                    self.lay(*index, path, point, *slot)?;
                }
            }
        }
        for (name, content) in &around.names {
            self.file(name, 0o444, content.clone());
        }
        self.step(Step::ReadOnly { slot: BASE });
        self.put_dev(&devices);
        for (name, _) in &around.names {
            self.put_in_etc(name)?;
        }
        for (index, path, point, slot, onto) in taken {
            let Some(slot) = slot else {
                self.step(Step::Seal { path: c_path(path)?, from: kept.way_to(path) });
                self.explain(path, point);
                continue;
            };
            // What is laid over a place is another object, and so is everything below.
            let (laid, onto) = match around.writes {
                Writes::Kept => (false, onto),
                Writes::Listed => (point.pin, Onto::SameKind),
            };
            if laid {
                self.step(Step::Take { path: c_path(path)?, slot });
            }
            self.put(path, point, (slot, onto), &layers.cover_name(index, point))?;
        }
        self.mask_proc();
        Ok(())
    }

    /// What is written to a place goes into the memory filesystem, which stands at `/dev` for the moment.
    fn lay(
        &mut self,
        index: usize,
        path: &AbsPath,
        point: &Point,
        slot: usize,
    ) -> Result<(), Failure> {
        if point.pin || point.hold < Hold::ByName {
            return Ok(());
        }
        let refused = |why: &str| {
            Failure::new(format!("a dry run cannot keep what is written to `{path}`: {why}"))
                .cured_by("take it out of what may be written")
        };
        if path.as_str() == "/" {
            return Err(refused("it is everything"));
        }
        let name = format!("layer-{index}");
        let status = rustix::fs::stat(path.as_str());
        let mode = status.map_or(0o700, |status| status.st_mode & 0o1777);
        let upper = match point.kind {
            Kind::Directory => {
                let (upper, work) = (format!("{name}/upper"), format!("{name}/work"));
                self.directory(&name, 0o700);
                self.directory(&upper, mode);
                self.directory(&work, 0o700);
                let in_memory = |name: &str| c_text(&format!("/dev/{name}"));
                let (above, work) = (in_memory(&upper), in_memory(&work));
                self.step(Step::Overlay { path: c_path(path)?, upper: above, work, slot });
                self.view.layers.push(Layer { place: path.clone(), upper: c_text(&upper) });
                return Ok(());
            }
            Kind::File => name,
            Kind::Other => return Err(refused("it is neither a directory nor a file")),
        };
        let content =
            std::fs::read(path.as_str()).map_err(|error| refused(&error.kind().to_string()))?;
        if content.len() > LARGEST_COPY {
            return Err(refused("it is too large to be copied"));
        }
        self.file(&upper, mode, content);
        self.step(Step::TakeBelow { base: BASE, path: c_text(&upper), slot });
        self.view.layers.push(Layer { place: path.clone(), upper: c_text(&upper) });
        Ok(())
    }

    fn put(
        &mut self,
        path: &AbsPath,
        point: &Point,
        (slot, onto): (usize, Onto),
        cover: &str,
    ) -> Result<(), Failure> {
        match point.hold {
            Hold::Hidden => {
                self.step(Step::TakeBelow { base: BASE, path: c_text(cover), slot });
            }
            Hold::ReadOnly => self.step(Step::ReadOnly { slot }),
            Hold::Writable | Hold::ByName if point.pin => {}
            Hold::ByName => self.view.writable.push((path.clone(), true)),
            Hold::Writable => {
                self.view.writable.push((path.clone(), point.kind == Kind::Directory));
            }
        }
        self.explain(path, point);
        if path.as_str() != "/" {
            self.step(Step::Put { slot, path: c_path(path)?, onto });
        }
        Ok(())
    }

    fn explain(&mut self, path: &AbsPath, point: &Point) {
        let what = if point.pin { What::Pinned } else { What::Held(point.hold) };
        let why = point.why.clone();
        self.view.explanation.push(Explained { path: path.clone(), what, why });
    }

    /// What is put over hidden paths: nothing anyone may open, or, where parts below may be read, the
    /// directories on the way to them and nothing else.
    fn covers(&mut self, layers: &Layers) -> Result<(), Failure> {
        self.directory(HIDDEN_DIRECTORY, 0);
        self.file(HIDDEN_FILE, 0, Vec::new());
        for (index, path, point) in layers.iter() {
            if point.hold != Hold::Hidden {
                continue;
            }
            if path.as_str() == "/" {
                return Err(Failure::new("`/` may not be read, so nothing could be run")
                    .cured_by("deny the directories below it instead"));
            }
            let cover = layers.cover_name(index, point);
            let mut made: Vec<String> = Vec::new();
            for (inner_path, inner) in layers.reopened(index) {
                if made.is_empty() {
                    self.directory(&cover, 0o111);
                }
                let mut way = cover.clone();
                let mut names = inner_path.below(path).unwrap_or("").split('/').peekable();
                while let Some(name) = names.next() {
                    way = format!("{way}/{name}");
                    if made.contains(&way) {
                        continue;
                    }
                    if names.peek().is_none() && inner.kind != Kind::Directory {
                        self.file(&way, 0, Vec::new());
                    } else {
                        self.directory(&way, 0o111);
                    }
                    made.push(way.clone());
                }
            }
        }
        Ok(())
    }

    fn take_devices(
        &mut self,
        extra: &[AbsPath],
        around: &Surroundings,
    ) -> Result<Vec<(String, usize)>, Failure> {
        let mut devices = Vec::new();
        let standard =
            DEVICES.iter().filter_map(|name| AbsPath::parse(&format!("/dev/{name}")).ok());
        let mut sources: Vec<(String, AbsPath)> = Vec::new();
        for path in standard.chain(extra.iter().cloned()) {
            if let Some(name) = path.name()
                && !sources.iter().any(|(known, _)| known == name)
                // A multiplexer of its own stands there.
                && !LINKS.iter().any(|(link, _)| link == &name)
                && matches!(look(&path)?, Found::Here(Kind::Other))
            {
                sources.push((name.to_owned(), path));
            }
        }
        if let Some(terminal) = &around.terminal
            && matches!(look(terminal)?, Found::Here(Kind::Other))
        {
            // ttyname(3) looks for the terminal in /dev, and its own name there is gone.
            sources.push(("console".to_owned(), terminal.clone()));
        }
        for (name, path) in sources {
            let slot = self.slot();
            self.step(Step::Take { path: c_path(&path)?, slot });
            devices.push((name, slot));
        }
        Ok(devices)
    }

    fn fill_base(&mut self, devices: &[(String, usize)]) {
        self.directory("dev", 0o755);
        for (name, _) in devices {
            self.file(&format!("dev/{name}"), 0o444, Vec::new());
        }
        for (name, target) in LINKS {
            let (path, target) = (c_text(&format!("dev/{name}")), c_text(target));
            self.step(Step::Link { base: BASE, path, target });
        }
        self.directory("dev/pts", 0o755);
        self.directory("dev/shm", 0o1777);
        // crate::TEMPORARY.
        self.directory("dev/shm/tmp", 0o700);
    }

    fn put_dev(&mut self, devices: &[(String, usize)]) {
        let take = |path: &str, slot| Step::TakeBelow { base: BASE, path: c_text(path), slot };
        self.step(take("dev/shm", SHM));
        self.step(Step::Writable { slot: SHM });
        self.step(take("dev", DEV));
        let put = |slot, path: &str| Step::Put { slot, path: c_text(path), onto: Onto::SameKind };
        self.step(put(DEV, "/dev"));
        self.step(put(SHM, "/dev/shm"));
        for (name, slot) in devices {
            self.step(put(*slot, &format!("/dev/{name}")));
        }
        self.step(Step::Terminals { path: c"/dev/pts".to_owned() });
    }

    fn put_in_etc(&mut self, name: &str) -> Result<(), Failure> {
        let Ok(path) = AbsPath::parse(&format!("/etc/{name}")) else { return Ok(()) };
        let real = match look(&path)? {
            Found::Here(_) => path,
            Found::Elsewhere(real, _) => real,
            Found::Nothing => return Ok(()),
        };
        let slot = self.slot();
        self.step(Step::TakeBelow { base: BASE, path: c_text(name), slot });
        self.step(Step::Put { slot, path: c_path(&real)?, onto: Onto::SameKind });
        Ok(())
    }

    fn mask_proc(&mut self) {
        let names = READ_ONLY_PROC.iter().map(|name| c_text(&format!("/proc/{name}")));
        self.view.proc.extend(names.map(|path| Step::Seal { path, from: None }));
    }

    fn slot(&mut self) -> usize {
        self.view.slots += 1;
        self.view.slots - 1
    }

    fn step(&mut self, step: Step) {
        self.view.steps.push(step);
    }

    fn directory(&mut self, path: &str, mode: u32) {
        self.step(Step::Directory { base: BASE, path: c_text(path), mode });
    }

    fn file(&mut self, path: &str, mode: u32, content: Vec<u8>) {
        self.step(Step::File { base: BASE, path: c_text(path), mode, content });
    }
}

fn c_path(path: &AbsPath) -> Result<CString, Failure> {
    let wrong = || Failure::new(format!("`{path}` is not a path"));
    CString::new(path.as_str()).ok().ok_or_else(wrong)
}

/// Text of ours, or parts of paths, neither of which has a NUL.
fn c_text(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

/// The most of a single file that is copied for a dry run.
const LARGEST_COPY: usize = 16 << 20;

const HIDDEN_DIRECTORY: &str = "hidden-directory";
const HIDDEN_FILE: &str = "hidden-file";

/// The standard devices.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// The standard links.
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Parts of `/proc` through which the whole machine can be changed; proc(5).
const READ_ONLY_PROC: [&str; 6] = ["sys", "sysrq-trigger", "irq", "bus", "fs", "acpi"];
