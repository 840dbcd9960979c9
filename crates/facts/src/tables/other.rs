//! Programs that do more than read, edit or remove, with the files their arguments name.
//!
//! Nothing here is read-only. The rows exist for the paths: so that a rule that denies a file also
//! stops the programs that would pack it, send it, open it or run it.

use super::Operands::{
    Change, PatternThenRead, Read, ReadThenText, ReadThenWrite, Special, Text, WriteThenRead,
};
use super::Row;
use super::Special::{Curl, Tar};

const PACK_SHORT: &str = "123456789acdfhklLnNqrS:tvVz";
const PACK_LONG: &str = "stdout to-stdout decompress uncompress compress force keep quiet verbose test list name no-name recursive rsyncable suffix: fast best help version";

pub(super) const ROWS: &[Row] = &[
    Row::acts(".", "", "", ReadThenText).unjudged().opaque(),
    Row::acts("awk", "F:v:f<e:", "field-separator: assign: file< source:", PatternThenRead).opaque(),
    Row::acts("bash", "", "", ReadThenText).unjudged().opaque(),
    Row::acts("bunzip2", PACK_SHORT, PACK_LONG, Change).unjudged(),
    Row::acts("bzip2", PACK_SHORT, PACK_LONG, Change).unjudged(),
    Row::acts("curl", "T<o>d@F@K<b@c>D>E<A:e:H@m:u:x:X:fgGiIjkLnNOqRsSv0123456", "upload-file< output> data@ data-ascii@ data-binary@ data-raw: data-urlencode@ json@ form@ config< cookie@ cookie-jar> \
        dump-header> cert< key< cacert< netrc-file< trace> trace-ascii> stderr> user-agent: referer: header@ max-time: user: proxy: request: fail location silent show-error insecure include head verbose url:", Special(Curl)).unjudged().opaque(),
    Row::acts("dash", "", "", ReadThenText).unjudged().opaque(),
    Row::acts("ed", "", "", Change).unjudged().opaque(),
    Row::acts("emacs", "", "", Change).unjudged().opaque(),
    Row::acts("gawk", "F:v:f<e:", "field-separator: assign: file< source:", PatternThenRead).opaque(),
    Row::acts("gunzip", PACK_SHORT, PACK_LONG, Change).unjudged(),
    Row::acts("gzip", PACK_SHORT, PACK_LONG, Change).unjudged(),
    Row::acts("less", "", "", Read).opaque(),
    Row::acts("mawk", "F:v:f<e:", "", PatternThenRead).opaque(),
    Row::acts("more", "", "", Read).opaque(),
    Row::acts("nano", "", "", Change).unjudged().opaque(),
    Row::acts("nawk", "F:v:f<e:", "", PatternThenRead).opaque(),
    Row::acts("nvim", "", "", Change).unjudged().opaque(),
    Row::acts("openssl", "", "in< out> key< inkey< cert< CAfile< kfile< pass: K: iv: e d a base64 salt", Text).one_dash().unjudged().opaque(),
    Row::acts("patch", "bcd:D:eEfF:g:i<lnNo>p:r>RsStTuvV:Y:zB:Z", "input< output> reject-file> strip: directory: forward reverse dry-run force batch backup", Change).unjudged().opaque(),
    Row::acts("perl", "", "", ReadThenText).unjudged().opaque(),
    Row::acts("rsync", "", "", ReadThenWrite).unjudged().opaque().recursive("*"),
    Row::acts("ruby", "", "", ReadThenText).unjudged().opaque(),
    Row::acts("scp", "346BCpqrTvc:F<i<J:l:o:P:S:", "", ReadThenWrite).unjudged().opaque().recursive("r"),
    Row::acts("sh", "", "", ReadThenText).unjudged().opaque(),
    Row::acts("source", "", "", ReadThenText).unjudged().opaque(),
    Row::acts("split", "a:b:C:del:n:t:ux", "suffix-length: additional-suffix: bytes: line-bytes: numeric-suffixes? hex-suffixes? elide-empty-files filter% lines: number: separator: unbuffered verbose", ReadThenText).unjudged().opaque(),
    Row::acts("tar", "", "", Special(Tar)).unjudged().opaque(),
    Row::acts("unzip", "", "", ReadThenText).unjudged().opaque(),
    Row::acts("vi", "", "", Change).unjudged().opaque(),
    Row::acts("view", "", "", Read).unjudged().opaque(),
    Row::acts("vim", "", "", Change).unjudged().opaque(),
    Row::acts("xz", PACK_SHORT, PACK_LONG, Change).unjudged(),
    Row::acts("zcat", "", "", Read),
    Row::acts("zip", "", "", WriteThenRead).unjudged().opaque().recursive("r R recurse-paths"),
    Row::acts("zsh", "", "", ReadThenText).unjudged().opaque(),
    Row::acts("zstd", PACK_SHORT, PACK_LONG, Change).unjudged(),
];
