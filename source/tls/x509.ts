/** The one door to @peculiar/x509: its container of algorithms refuses to load before the reflection API is there. */
import 'reflect-metadata';

export * from '@peculiar/x509';
