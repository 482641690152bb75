/** What is put together member by member, and then told as it is. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] }
