//! `ClientHello`s of every shape.

/// What a hello is made of.
#[derive(Clone, Debug, Default)]
pub struct Hello {
    /// Server names, each in an extension of its own.
    pub names: Vec<Vec<u8>>,
    /// Whether it carries the extension of encrypted hellos.
    pub encrypted: bool,
    /// Bytes of padding, as a post-quantum key share would add.
    pub padding: usize,
    /// The most bytes of one record; 0 for one record.
    pub record: usize,
}

impl Hello {
    /// A hello for a server.
    pub fn to(name: &str) -> Self {
        Self { names: vec![name.as_bytes().to_vec()], ..Self::default() }
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        for name in &self.names {
            let mut list = vec![0];
            list.extend(vector(name));
            extensions.extend(extension(0, &vector(&list)));
        }
        extensions.extend(extension(16, &vector(b"\x02h2\x08http/1.1")));
        if self.encrypted {
            extensions.extend(extension(0xfe0d, &[0; 32]));
        }
        if self.padding > 0 {
            extensions.extend(extension(51, &vec![7; self.padding]));
        }
        let mut body = vec![3, 3];
        body.extend([9; 32]);
        body.push(0);
        body.extend(vector(&[0x13, 0x01]));
        body.extend([1, 0]);
        body.extend(vector(&extensions));
        let mut message = vec![1];
        message.extend(&u32::try_from(body.len()).unwrap_or(0).to_be_bytes()[1..]);
        message.extend(body);
        let size = if self.record == 0 { message.len() } else { self.record };
        let mut bytes = Vec::new();
        for part in message.chunks(size) {
            bytes.extend([22, 3, 1]);
            bytes.extend(vector(part));
        }
        bytes
    }
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend(vector(data));
    bytes
}

fn vector(data: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    bytes.extend(data);
    bytes
}
