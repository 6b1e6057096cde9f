import { describeMending } from '../support/mend-store-suite.ts';

describeMending(() => true);
