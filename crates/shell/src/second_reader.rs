//! stub
use crate::ir::Obstacle;
use crate::trace::Piece;
pub(crate) fn compare(_p: &[Piece], _o: &mut Vec<Obstacle>, _s: &mut Vec<Vec<String>>) {}
