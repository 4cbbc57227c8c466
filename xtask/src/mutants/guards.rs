//! Many changes in one text: each is put beside what it changes, and a number chooses which of the two is run.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, Expr, ExprBinary, ExprStruct, ExprUnary, PatGuard};

use super::change::{Change, Genre};

/// What the root of a crate needs for `crate::mutant_is`. A constant may not ask, and a constant function may: it is read
/// before `main`, and a static that may be written to cannot be read when a constant is made.
pub(super) const SWITCH: &str = r#"
static mut MUTANT: u32 = 0;
#[used]
#[unsafe(link_section = ".init_array")]
static CHOOSE_MUTANT: extern "C" fn() = choose_mutant;
extern "C" fn choose_mutant() {
    let chosen = ::std::env::var("MUTANT").ok().and_then(|number| number.parse().ok());
    unsafe { MUTANT = chosen.unwrap_or(0) }
}
pub(crate) const fn mutant_is(number: u32) -> bool {
    unsafe { MUTANT == number }
}
"#;

/// A text with changes in it.
#[derive(Default)]
pub(super) struct Guarded {
    pub(super) text: String,
    /// The changes, and where in the text they are.
    changed: Vec<(Range<usize>, u32)>,
    /// The same with what they stand beside.
    around: Vec<(Range<usize>, u32)>,
}

impl Guarded {
    /// Puts these into the text, each under its number; some cannot be put there.
    pub(super) fn of(text: &str, changes: &[(u32, &Change)]) -> syn::Result<Self> {
        let mut finder = Finder { text, changes, whole: None, guards: Guards::default() };
        for &(number, change) in changes.iter().filter(|(_, change)| change.genre == Genre::FnValue) {
            finder.guards.bodies.push((change.range(text), number, change.replacement.clone()));
        }
        finder.visit_file(&syn::parse_file(text)?);
        Ok(finder.guards.put_into(text))
    }

    /// The numbers of those that are there.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.changed.iter().map(|&(_, number)| number)
    }

    /// The changes in which these bytes of the text are.
    pub(super) fn changed_at(&self, bytes: &Range<usize>) -> impl Iterator<Item = u32> {
        let holds = |place: &Range<usize>| place.start <= bytes.start && bytes.end <= place.end;
        self.changed.iter().filter(move |(place, _)| holds(place)).map(|&(_, number)| number)
    }

    /// The changes that stand closest around these bytes of the text.
    pub(super) fn around(&self, bytes: &Range<usize>) -> impl Iterator<Item = u32> {
        let holds = |place: &Range<usize>| place.start <= bytes.start && bytes.end <= place.end;
        let closest =
            self.around.iter().filter(|(place, _)| holds(place)).map(|(place, _)| place.len()).min();
        let is_closest = move |place: &Range<usize>| holds(place) && Some(place.len()) == closest;
        self.around.iter().filter(move |(place, _)| is_closest(place)).map(|&(_, number)| number)
    }
}

/// What is put into a text, by the bytes that it stands around.
#[derive(Default)]
struct Guards {
    /// Functions that return something else at once.
    bodies: Vec<(Range<usize>, u32, String)>,
    /// Expressions in place of others, the outer ones first.
    expressions: BTreeMap<OuterFirst, Vec<(u32, String)>>,
    /// Arms of a match that are taken away, by where their patterns end.
    arms: Vec<(usize, u32)>,
}

/// Where an expression begins, and where it ends.
type OuterFirst = (usize, Reverse<usize>);

/// Something that is put into a text.
struct Piece {
    at: usize,
    text: String,
    /// The change that it is, if it is one.
    change: Option<u32>,
}

impl Guards {
    fn put_into(self, text: &str) -> Guarded {
        let mut pieces = self.pieces();
        pieces.sort_by_key(|piece| piece.at);
        let (mut guarded, mut done) = (Guarded::default(), 0);
        for piece in &pieces {
            guarded.text.push_str(&text[done..piece.at]);
            done = piece.at;
            let start = guarded.text.len();
            guarded.text.push_str(&piece.text);
            guarded.changed.extend(piece.change.map(|number| (start..guarded.text.len(), number)));
        }
        guarded.text.push_str(&text[done..]);
        let put = |until: &dyn Fn(usize) -> bool| -> usize {
            pieces.iter().filter(|piece| until(piece.at)).map(|piece| piece.text.len()).sum()
        };
        let moved = |range: &Range<usize>| {
            range.start + put(&|at| at < range.start)..range.end + put(&|at| at <= range.end)
        };
        let bodies = self.bodies.iter().map(|(range, number, _)| (moved(range), *number));
        let expressions = self.expressions.iter().flat_map(|(&(start, Reverse(end)), changes)| {
            let range = moved(&(start..end));
            changes.iter().map(move |&(number, _)| (range.clone(), number))
        });
        guarded.around = bodies.chain(expressions).collect();
        guarded
    }

    /// What stands at the same place is in the order in which it shall stand there.
    fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut put = |at, text: &str, change| {
            pieces.push(Piece { at, text: text.to_owned(), change });
        };
        for (range, number, value) in &self.bodies {
            put(range.start, &format!("if crate::mutant_is({number}) {{ return "), None);
            put(range.start, value, Some(*number));
            put(range.start, "; } ", None);
        }
        for (&(start, Reverse(end)), changes) in &self.expressions {
            put(start, "(", None);
            // What begins with a brace would end with it: therefore the inner brackets.
            for (number, changed) in changes {
                put(start, &format!("if crate::mutant_is({number}) {{ ("), None);
                put(start, changed, Some(*number));
                put(start, ") } else ", None);
            }
            put(start, "{ (", None);
            put(end, ") })", None);
        }
        for &(at, number) in &self.arms {
            put(at, &format!(" if !crate::mutant_is({number})"), Some(number));
        }
        pieces
    }
}

/// Looks for the expressions around changes.
struct Finder<'a> {
    text: &'a str,
    changes: &'a [(u32, &'a Change)],
    /// Of an operand, all that hangs together without brackets.
    whole: Option<Range<usize>>,
    guards: Guards,
}

impl Finder<'_> {
    /// Those of this genre that begin here.
    fn beginning(&self, at: usize, genre: Genre) -> Vec<(u32, Range<usize>, String)> {
        let of_genre = self.changes.iter().filter(|(_, change)| change.genre == genre);
        let ranges = of_genre.map(|(number, change)| (number, change.range(self.text), change));
        let here = ranges.filter(|(_, range, _)| range.start == at);
        here.map(|(&number, range, change)| (number, range, change.replacement.clone())).collect()
    }

    /// Puts a change beside the expression that it changes.
    fn guard(&mut self, expression: &Range<usize>, number: u32, range: &Range<usize>, replacement: &str) {
        let before = &self.text[expression.start..range.start];
        let after = &self.text[range.end..expression.end];
        let key = (expression.start, Reverse(expression.end));
        self.guards.expressions.entry(key).or_default().push((number, [before, replacement, after].concat()));
    }

    fn guard_all(&mut self, expression: &Range<usize>, at: usize, genre: Genre) {
        for (number, range, replacement) in self.beginning(at, genre) {
            self.guard(expression, number, &range, &replacement);
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_expr_binary(&mut self, node: &'ast ExprBinary) {
        let own = bytes(node);
        let whole = self.whole.take().unwrap_or_else(|| own.clone());
        // Such a chain is no expression that could stand elsewhere.
        let is_let_chain = has_let(&node.left) || has_let(&node.right);
        if !is_let_chain {
            for (number, range, operator) in self.beginning(bytes(&node.op).start, Genre::BinaryOperator) {
                // An operator that binds looser or tighter may take operands from its neighbours.
                let binds_alike = strength(&self.text[range.clone()]) == strength(&operator);
                self.guard(if binds_alike { &own } else { &whole }, number, &range, &operator);
            }
        }
        for operand in [&*node.left, &*node.right] {
            let hangs_on = matches!(operand, Expr::Binary(_)) && !is_let_chain;
            self.whole = hangs_on.then(|| whole.clone());
            self.visit_expr(operand);
        }
    }

    fn visit_expr_unary(&mut self, node: &'ast ExprUnary) {
        self.guard_all(&bytes(node), bytes(&node.op).start, Genre::UnaryOperator);
        visit::visit_expr_unary(self, node);
    }

    fn visit_expr_struct(&mut self, node: &'ast ExprStruct) {
        for field in &node.fields {
            self.guard_all(&bytes(node), bytes(field).start, Genre::StructField);
        }
        visit::visit_expr_struct(self, node);
    }

    fn visit_pat_guard(&mut self, node: &'ast PatGuard) {
        let guard = bytes(&node.guard);
        if !has_let(&node.guard) {
            self.guard_all(&guard, guard.start, Genre::MatchArmGuard);
        }
        visit::visit_pat_guard(self, node);
    }

    fn visit_arm(&mut self, node: &'ast Arm) {
        for (number, ..) in self.beginning(bytes(node).start, Genre::MatchArm) {
            self.guards.arms.push((bytes(&node.pat).end, number));
        }
        visit::visit_arm(self, node);
    }
}

fn bytes(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

/// Whether it is `let`, or a chain with one.
fn has_let(expression: &Expr) -> bool {
    if let Expr::Binary(chain) = expression {
        return has_let(&chain.left) || has_let(&chain.right);
    }
    matches!(expression, Expr::Let(_))
}

/// A number for all operators that bind alike.
fn strength(operator: &str) -> u8 {
    match operator.trim() {
        "*" | "/" | "%" => 0,
        "+" | "-" => 1,
        "<<" | ">>" => 2,
        "&" => 3,
        "^" => 4,
        "|" => 5,
        "==" | "!=" | "<" | ">" | "<=" | ">=" => 6,
        "&&" => 7,
        "||" => 8,
        // What assigns.
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with changes: what each takes away, which stands there once, and what it puts there.
    fn guarded(text: &str, changes: &[(Genre, &str, &str)]) -> Guarded {
        let changes = changes.iter().map(|(genre, old, new)| {
            assert_eq!(text.matches(old).count(), 1, "{old}");
            let start = text.find(old).unwrap();
            Change::of_line(*genre, &text[..start], old, new)
        });
        let changes: Vec<Change> = changes.collect();
        let numbered: Vec<_> = (1..).zip(&changes).collect();
        Guarded::of(text, &numbered).unwrap()
    }

    #[test]
    fn a_function_may_return_something_else() {
        let guarded = guarded("fn f() -> u8 { g(); 1 }", &[(Genre::FnValue, "g(); 1", "0")]);
        assert_eq!(guarded.text, "fn f() -> u8 { if crate::mutant_is(1) { return 0; } g(); 1 }");
    }

    #[test]
    fn a_function_may_return_before_an_expression_that_is_changed_too() {
        let changes = [(Genre::FnValue, "a == b", "true"), (Genre::BinaryOperator, "==", "!=")];
        let first = "if crate::mutant_is(1) { return true; }";
        let equal = "(if crate::mutant_is(2) { (a != b) } else { (a == b) })";
        let guarded = guarded("fn f() -> bool { a == b }", &changes);
        assert_eq!(guarded.text, format!("fn f() -> bool {{ {first} {equal} }}"));
    }

    #[test]
    fn an_inner_change_is_made_beside_the_outer_one() {
        let guarded = guarded(
            "fn f() { let x = !g(a == b) < c; }",
            &[
                (Genre::BinaryOperator, "<", ">"),
                (Genre::UnaryOperator, "!", ""),
                (Genre::BinaryOperator, "==", "!="),
            ],
        );
        let equal = "(if crate::mutant_is(3) { (a != b) } else { (a == b) })";
        let not = format!("(if crate::mutant_is(2) {{ (g(a == b)) }} else {{ (!g({equal})) }})");
        let less = format!("(if crate::mutant_is(1) {{ (!g(a == b) > c) }} else {{ ({not} < c) }})");
        assert_eq!(guarded.text, format!("fn f() {{ let x = {less}; }}"));
    }

    #[test]
    fn an_operator_that_binds_otherwise_may_take_operands_from_its_neighbours() {
        let guarded = guarded("fn f() { a - b * c }", &[(Genre::BinaryOperator, "*", "+")]);
        assert_eq!(guarded.text, "fn f() { (if crate::mutant_is(1) { (a - b + c) } else { (a - b * c) }) }");
    }

    #[test]
    fn brackets_end_what_hangs_together() {
        let guarded = guarded("fn f() { a - (b * c) }", &[(Genre::BinaryOperator, "*", "+")]);
        assert_eq!(guarded.text, "fn f() { a - ((if crate::mutant_is(1) { (b + c) } else { (b * c) })) }");
    }

    #[test]
    fn a_chain_with_let_stays_as_it_is_and_its_links_do_not() {
        let text = "fn f() { if let Some(a) = b && a == c {} }";
        let changes = [(Genre::BinaryOperator, "&&", "||"), (Genre::BinaryOperator, "==", "!=")];
        let guarded = guarded(text, &changes);
        let link = "(if crate::mutant_is(2) { (a != c) } else { (a == c) })";
        assert_eq!(guarded.text, format!("fn f() {{ if let Some(a) = b && {link} {{}} }}"));
        assert_eq!(guarded.numbers().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn arms_and_their_guards_and_fields_are_taken_away() {
        let changes = [
            (Genre::MatchArm, "1 => a,", ""),
            (Genre::MatchArmGuard, "!b(x)", "true"),
            (Genre::UnaryOperator, "!", ""),
            (Genre::StructField, "c: 1,", ""),
        ];
        let text = "fn f() { match x { 1 => a, x if !b(x) => S { c: 1, ..d }, _ => e } }";
        let not = "if crate::mutant_is(3) { (b(x)) }";
        let guard = format!("(if crate::mutant_is(2) {{ (true) }} else {not} else {{ (!b(x)) }})");
        let field = "(if crate::mutant_is(4) { (S {  ..d }) } else { (S { c: 1, ..d }) })";
        let arms = format!("1 if !crate::mutant_is(1) => a, x if {guard} => {field}, _ => e");
        assert_eq!(guarded(text, &changes).text, format!("fn f() {{ match x {{ {arms} }} }}"));
    }

    #[test]
    fn an_error_belongs_to_the_change_in_which_it_is_or_to_the_closest_around_it() {
        let changes = [(Genre::FnValue, "g(a == b)", "0"), (Genre::BinaryOperator, "==", "!=")];
        let guarded = guarded("fn f() { g(a == b) }", &changes);
        let bytes = |text: &str| {
            let start = guarded.text.find(text).unwrap();
            start..start + text.len()
        };
        let changed = |text: &str| guarded.changed_at(&bytes(text)).collect::<Vec<_>>();
        let around = |text: &str| guarded.around(&bytes(text)).collect::<Vec<_>>();
        assert_eq!((changed("0"), around("0")), (vec![1], vec![1]));
        assert_eq!((changed("a != b"), around("a != b")), (vec![2], vec![2]));
        assert_eq!((changed("a == b"), around("a == b")), (Vec::new(), vec![2]));
        let whole = "(if crate::mutant_is(2) { (a != b) } else { (a == b) })";
        assert_eq!((changed(whole), around(whole)), (Vec::new(), vec![2]));
        assert_eq!((changed("g("), around("g(")), (Vec::new(), vec![1]));
        assert!(around("fn f").is_empty());
    }
}
