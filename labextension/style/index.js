import './base.css';
import './insert.css';
