// Package learn is what lessons change: the weights of several unlike learners and the combiner over them and the signals.
//
// A learner sees a message as a set of hashed features and gives it a log-odds score; the combiner adds the learners'
// scores and the signals' values, each times its coefficient, to one score whose parts can be read. [Model.Judge] only
// reads; [Model.Apply] takes one lesson, in the order of the journal, in one goroutine. All arithmetic is on integers:
// the same lessons give the same weights to the bit on every machine.
//
// A lesson of a tenant moves the tenant's own tables in full and the shared ones a little. A second lesson on one message
// with the other label takes the first one back exactly before it is learned; what that did to the combiner it outweighs.
// Forgetting takes both back.
//
// A lesson of one domain or one user is theirs: a small correction beside the tenant's tables, of the sender and of near
// copies. All others it moves by a little that is bounded by the hour.
package learn
