// Package route decides which sinks an event goes to: those of the first rule that the
// event fits.
//
// A rule names patterns for some of an event's fields, and fits when all of them fit. In
// a pattern `*` stands for any run of characters, the empty one included; every other
// character stands for itself, and upper and lower case differ. A star cannot be escaped.
//
// Routing an event allocates nothing and takes time in proportion to the texts compared.
package route
