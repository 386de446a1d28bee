/** The version of every JSON document that the commands print. Grows when a field changes its meaning or goes away. */
export const jsonVersion = 1;
