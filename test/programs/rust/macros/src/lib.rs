//! Runs within the compiler: with hooks it could not be loaded there.
use proc_macro::TokenStream;

#[proc_macro]
pub fn thousand(_: TokenStream) -> TokenStream {
    "1000".parse().unwrap()
}
