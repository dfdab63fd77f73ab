//! Commands that are no statements, and what the server says of itself and of what it did.

use super::body::Body;
use super::broken::Broken;
use super::command::{Command, Failure, Reader, Reading};
use super::error::Error;
use super::Session;

const COM_STATISTICS: u8 = 0x09;
const COM_DEBUG: u8 = 0x0d;
const COM_SET_OPTION: u8 = 0x1b;

impl Session {
    /// What the server offers, agreed on or not, as `constants.CLIENT` numbers it.
    pub fn server_capabilities(&self) -> u32 {
        self.body.get().map_or(0, |body| body.greeting.offered.bits())
    }

    /// What the server said of the last statement that answered no rows: how many rows matched,
    /// were changed, were copied.
    pub fn info(&self) -> Option<&str> {
        self.body.get().and_then(|body| body.status.words())
    }

    /// Whether further answers are to come, once the rows of this one are read.
    pub fn has_more_answers(&self) -> bool {
        self.body.get().is_some_and(|body| body.status.has_more())
    }

    /// The server's own line about itself (`COM_STATISTICS`).
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn statistics(&mut self) -> Result<String, Error> {
        self.finish_answers()?;
        let text = self.body()?.ask(&[COM_STATISTICS], |reader| {
            let range = reader.stream.receive()?;
            let text = match reader.stream.payload(range.clone()).first() {
                Some(0xff) => return Err(reader.refused(range)),
                _ => String::from_utf8_lossy(reader.stream.payload(range)).into_owned(),
            };
            reader.stream.forget();
            Ok(text)
        })?;
        Ok(text)
    }

    /// Have the server write what it knows about itself into its log (`COM_DEBUG`).
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn dump_debug_info(&mut self) -> Result<(), Error> {
        self.finish_answers()?;
        self.body()?.ask(&[COM_DEBUG], |reader| reader.agreed())
    }

    /// Whether one text may hold several statements (`COM_SET_OPTION`). A reset takes it back.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn allow_multi_statements(&mut self, allow: bool) -> Result<(), Error> {
        self.finish_answers()?;
        let body = self.body()?;
        body.set_multi_statements(allow)?;
        body.strayed.multi_statements = true;
        Ok(())
    }
}

impl Body {
    pub(super) fn set_multi_statements(&mut self, allow: bool) -> Result<(), Error> {
        self.ask(&[COM_SET_OPTION, u8::from(!allow), 0], |reader| reader.agreed())
    }

    /// Send a command that is nothing but these bytes, and read its answer.
    fn ask<T>(
        &mut self,
        command: &[u8],
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.ready()?;
        self.close_left()?;
        self.send(Command::Plain(command))?;
        self.read(Reading::Whole, read)
    }
}

impl Reader<'_> {
    /// The server agrees by an end-of-file packet, or by an OK as after a statement.
    fn agreed(&mut self) -> Result<(), Failure> {
        let range = self.stream.receive()?;
        if self.end_of(range.clone()).is_some() {
            self.stream.forget();
            return Ok(());
        }
        match self.stream.payload(range.clone()).first() {
            Some(0x00) => self.done(range).map(drop),
            Some(0xff) => Err(self.refused(range)),
            _ => Err(Broken::malformed("not an answer to a command").into()),
        }
    }
}
