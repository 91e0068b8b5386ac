//! Compiles part.c as the crate cc does: by the compiler that is named for the target.
use std::{env, path::PathBuf, process::Command};

fn main() {
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    let target = env::var("TARGET").unwrap().replace('-', "_");
    let compiler = env::var(format!("CC_{target}")).or(env::var("CC")).unwrap_or("cc".into());
    let words: Vec<&str> = compiler.split_whitespace().collect();
    let run = |command: &mut Command| assert!(command.status().unwrap().success());
    run(Command::new(words[0]).args(&words[1..]).args(["-O2", "-fPIC", "-c", "csrc/part.c", "-o"]).arg(out.join("part.o")));
    run(Command::new("ar").arg("rcs").arg(out.join("libpart.a")).arg(out.join("part.o")));
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=part");
    println!("cargo:rerun-if-changed=csrc/part.c");
}
