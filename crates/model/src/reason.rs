//! Why a command could not be read in full: a closed list of stable names, shown to users.

use std::fmt;

macro_rules! reasons {
    ($($variant:ident $name:literal $doc:literal,)*) => {
        /// Why a command, or a part of it, cannot be known from its text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $doc] $variant,)*
        }

        impl Reason {
            /// Every reason, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One sentence for a person.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

reasons! {
    SyntaxError "syntax-error" "bash would report a syntax error here, after running the lines before it",
    Unterminated "unterminated" "a quote, substitution, here-document or block is not closed",
    TooLong "too-long" "the command is longer than the limit",
    TooDeep "too-deep" "the command is nested deeper than the limit",
    ParseBudget "parse-budget" "reading the command took longer than its budget",
    ControlChar "control-char" "a control character stands outside quotes",
    ConfusableSpace "confusable-space" "a blank-looking, invisible or direction-changing character stands outside quotes",
    EscapedBlank "escaped-blank" "an escaped blank is part of a command name",
    ReaderDisagreement "reader-disagreement" "the two readers see different words or commands",
    UnsupportedSyntax "unsupported-syntax" "the reader does not model this syntax",
    DynamicCommandName "dynamic-command-name" "the name of the command is only known when it runs",
    DynamicRedirect "dynamic-redirect" "the target of a redirect is only known when it runs",
    NetRedirect "net-redirect" "bash opens a network connection for this redirect",
    ExecRedirect "exec-redirect" "`exec` changes where every later command reads or writes",
    ArithDynamic "arith-dynamic" "arithmetic on names or subscripts can run commands hidden in their values",
    NameOperand "name-operand" "an operand that names a variable is not a plain name",
    DeclareAttribute "declare-attribute" "an attribute of a variable changes what a later assignment does",
    IndirectExpansion "indirect-expansion" "an expansion reads the variable that another variable names",
    PromptTransform "prompt-transform" "a prompt expansion can run commands",
    FunctionDefinition "function-definition" "a function gives a name a new meaning",
    Shadowed "shadowed" "the shell already gives this name another meaning",
    Coproc "coproc" "a coprocess runs beside what follows",
    ShellOption "shell-option" "a shell option changes how what follows is read",
    EnvHijack "env-hijack" "an assignment can change which program runs or what it loads",
    EvalFamily "eval-family" "text is run as a command",
    SourceFile "source" "a file is run as commands",
    CwdUnknown "cwd-unknown" "the directory is only known when it runs",
    WrapperOption "wrapper-option" "an option of a wrapping program is not understood",
    ExecWrapper "exec-wrapper" "the program runs another program in ways a rule cannot bound",
    InterpreterCode "interpreter-code" "code for another interpreter is given as text",
    InterpreterStdin "interpreter-stdin" "a shell or interpreter reads its code from its input",
    InterpreterDynamic "interpreter-dynamic" "code given to an interpreter is only known when it runs",
    ConfigExec "config-exec" "an option sets configuration that can run a program",
    Remote "remote" "the command runs on another machine or in a container",
    Privilege "privilege" "the command runs as another user",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
