//! Reads and writes by hand, whatever the optimisation: places are computed so that no loop becomes a vector.
//!
//!   TABLE     1000, 1000   scramble
//!   COUNTER    401,  400   fetch_add by four threads, and the load that prints it
//!   SQUARES   1000,    0   a constant table
//!   points    2000, 2000   a Vec of 1000 structures of two numbers, in heap memory of 16,000 bytes
//!   FROM, TO     8,    8   256 bytes copied twice, four cache lines each time: FROM is read, TO written; before, one
//!                          number of FROM is written, and in the end one of TO read
use std::sync::atomic::{AtomicU64, Ordering};

static COUNTER: AtomicU64 = AtomicU64::new(0);
static mut TABLE: [u32; 1000] = [0; 1000];
static SQUARES: [u64; 1000] = squares();

const fn squares() -> [u64; 1000] {
    let mut all = [0; 1000];
    let mut i = 0;
    while i < 1000 {
        all[i] = (i * i) as u64;
        i += 1;
    }
    all
}

extern "C" {
    fn c_increment();
}

struct Point {
    x: f64,
    y: f64,
}

fn next(x: u32) -> u32 {
    x.wrapping_mul(1664525).wrapping_add(1013904223)
}

#[inline(never)]
fn scramble(table: &mut [u32]) {
    let mut x = 1;
    for _ in 0..macros::thousand!() {
        x = next(x);
        table[x as usize % 1000] += 1;
    }
}

#[inline(never)]
fn look_up(table: &[u64]) -> u64 {
    let mut x = 1;
    let mut sum = 0;
    for _ in 0..1000 {
        x = next(x);
        sum += table[x as usize % 1000];
    }
    sum
}

#[inline(never)]
fn fill(points: &mut Vec<Point>) {
    for i in 0..1000 {
        points.push(Point { x: i as f64, y: 0.5 });
    }
}

#[inline(never)]
fn total(points: &[Point]) -> f64 {
    let mut sum = 0.0;
    for point in points {
        sum += point.x * point.y;
    }
    sum
}

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Large([u64; 32]);
static mut FROM: Large = Large([7; 32]);
static mut TO: Large = Large([0; 32]);

#[inline(never)]
fn copy(to: &mut Large, from: &Large) {
    *to = *from;
}

fn main() {
    let mut points = Vec::with_capacity(1000);
    fill(&mut points);
    let sum = total(&points);
    unsafe {
        scramble(&mut *std::ptr::addr_of_mut!(TABLE));
        c_increment();
        (*std::ptr::addr_of_mut!(FROM)).0[std::env::args().count()] = 9;
        for _ in 0..2 {
            copy(&mut *std::ptr::addr_of_mut!(TO), &*std::ptr::addr_of!(FROM));
        }
    }
    let threads: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(|| (0..100).for_each(|_| drop(COUNTER.fetch_add(1, Ordering::Relaxed)))))
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let copied = unsafe { (*std::ptr::addr_of!(TO)).0[std::env::args().count()] };
    println!("{} {} {} {}", sum, COUNTER.load(Ordering::SeqCst), look_up(&SQUARES), copied);
}
